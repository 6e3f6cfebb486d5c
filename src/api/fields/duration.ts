/** Durations as Go writes them: `30s`, `1h30m`, `1.5h`. Signs and a bare `0` are refused, because no field needs them. */
import { pattern } from "./types.ts";
import { withRules } from "./rule.ts";

const NUMBER = String.raw`([0-9]+(\.[0-9]*)?|\.[0-9]+)`;
const UNIT = "(ns|us|µs|μs|ms|s|m|h)";

/** The CRD holds the same pattern. */
export const DURATION_PATTERN = new RegExp(`^(${NUMBER}${UNIT})+$`);
/** Longer texts are refused before they are looked at. */
export const DURATION_MAX_LENGTH = 64;

const HINT = 'must be a duration like "30s" or "1h30m"';
/** Short enough to be a duration with its unit. */
const BARE_NUMBER = new RegExp(`^(?=.{1,${DURATION_MAX_LENGTH - 1}}$)${NUMBER}$`);

const NANOSECONDS: Record<string, bigint> = {
  ns: 1n,
  us: 1_000n,
  "\u00b5s": 1_000n,
  "\u03bcs": 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

export class DurationError extends Error {
  override readonly name = "DurationError";
}

/** Returns milliseconds, with a fraction where the text is finer. Throws a DurationError. */
export function parseDuration(duration: string): number {
  const total = nanosecondsOf(duration);
  // The division takes two steps, because a number cannot hold the nanoseconds of more than a hundred days exactly.
  return Number(total / 1_000_000n) + Number(total % 1_000_000n) / 1e6;
}

function nanosecondsOf(duration: string): bigint {
  if (duration.length > DURATION_MAX_LENGTH || !DURATION_PATTERN.test(duration)) {
    throw new DurationError('not a duration; write it like "90s" or "1h30m"');
  }
  let total = 0n;
  for (const [, number = "", unit = ""] of duration.matchAll(/([0-9.]+)([a-zµμ]+)/g)) {
    const [whole = "", fraction = ""] = number.split(".");
    const size = NANOSECONDS[unit] ?? 0n;
    total += BigInt(`0${whole}`) * size;
    total += (BigInt(`0${fraction}`) * size) / 10n ** BigInt(fraction.length);
  }
  return total;
}

/** The shortest text of whole milliseconds that parses back to them: 5400000 is "1h30m". */
export function formatDuration(milliseconds: number): string {
  const whole = Math.max(0, Math.round(milliseconds));
  const parts = [
    [Math.floor(whole / 3_600_000), "h"],
    [Math.floor(whole / 60_000) % 60, "m"],
    [Math.floor(whole / 1_000) % 60, "s"],
    [whole % 1_000, "ms"],
  ] as const;
  const written = parts.filter(([count]) => count > 0).map(([count, unit]) => `${count}${unit}`);
  return written.join("") || "0s";
}

/** A field that holds a duration from `minimum` to `maximum`. */
export function durationField(minimum: string, maximum: string) {
  const lowest = nanosecondsOf(minimum);
  const highest = nanosecondsOf(maximum);
  const isWithin = (duration: string): boolean => {
    const nanoseconds = nanosecondsOf(duration);
    return nanoseconds >= lowest && nanoseconds <= highest;
  };
  const range = `from ${minimum} to ${maximum}`;
  /** A number without a unit is most often meant as seconds. */
  const hint = ({ input }: { input?: unknown }): string => {
    if (typeof input !== "string" || !BARE_NUMBER.test(input)) return HINT;
    return isWithin(`${input}s`) ? `${HINT}; write ${input}s` : `${HINT}, ${range}`;
  };
  return withRules(pattern(DURATION_MAX_LENGTH, DURATION_PATTERN, hint), [
    {
      cel: `duration(self) >= duration('${minimum}') && duration(self) <= duration('${maximum}')`,
      holds: isWithin,
      message: `must be ${range}`,
    },
  ]);
}
