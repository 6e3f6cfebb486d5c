import { durationText } from "./duration-text.ts";
import { useNow } from "./now.ts";

const STEP_MS = 10_000;

/** How long ago something was, which grows as one looks at it. `at` is written as RFC 3339 has it. */
export function Age({ at }: { at: string | undefined }) {
  const now = useNow(STEP_MS);
  const time = at === undefined ? Number.NaN : Date.parse(at);
  if (Number.isNaN(time)) return <span>–</span>;
  return (
    <time dateTime={at} title={new Date(time).toLocaleString()}>
      {durationText(Math.max(0, now - time))} ago
    </time>
  );
}
