import type { ReactNode } from "react";
import { useNow } from "../parts/now.ts";

/** Shows what depends on the whole seconds until a time, which is in milliseconds since 1970. */
export function Countdown({
  until,
  children,
}: {
  until: number | undefined;
  children: (seconds: number) => ReactNode;
}) {
  const now = useNow();
  return children(until === undefined ? 0 : Math.max(0, Math.ceil((until - now) / 1_000)));
}
