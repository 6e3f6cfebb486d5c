import type { ReactNode } from "react";
import type { UseQueryResult } from "@tanstack/react-query";
import { useLive } from "../api/live-state.ts";
import { ApiFailure } from "../api/api-failure.ts";
import { Failure } from "../parts/failure.tsx";

/** Shows what was asked for once it is there, and says why it is not. What is known stays while it is asked for again. */
export function Loaded<Data>({
  query: { data, error, refetch },
  children,
}: {
  query: UseQueryResult<Data>;
  children: (data: Data) => ReactNode;
}) {
  const live = useLive();
  const isGone = error instanceof ApiFailure && error.code === "NotFound";
  if (data !== undefined && !isGone) return children(data);
  // What to do about it is said by the frame of the page.
  if (live.status === "signed-out") return undefined;
  if (error !== null) return <Failure error={error} retry={() => void refetch()} />;
  return <p role="status">Loading …</p>;
}
