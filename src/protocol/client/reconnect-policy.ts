/** Pure decisions about when a client connects again, and when it gives up. */
import { exponentialBackoff, jittered } from "../../time/backoff.ts";
import { CLOSE_UNAUTHORIZED } from "../close-codes.ts";
import { ClientError } from "./client-error.ts";

export interface ReconnectPolicy {
  /** The first pause, which doubles with each try up to the longest. */
  readonly firstMs: number;
  readonly longestMs: number;
  /** The client gives up when nothing came for this long although it connected again. */
  readonly limitMs: number;
  /** For this long, the first connection is tried again: the agent may just be starting, or about to be replaced. */
  readonly openingMs: number;
  /** For this long, a message is sent again that the server refuses for the moment (`details.retry_after`). */
  readonly refusedMs: number;
  /** After this long, a caller is told that its answer is held up. A short change of replicas is not told. */
  readonly noticeMs: number;
  /** The time for a connection and its first frame. */
  readonly greetingMs: number;
  /** When nothing comes from a resumed turn for this long, its message is sent again to ask about it. */
  readonly silenceMs: number;
}

export const DEFAULT_RECONNECT_POLICY: ReconnectPolicy = {
  firstMs: 200,
  longestMs: 5_000,
  limitMs: 60_000,
  openingMs: 5_000,
  refusedMs: 15_000,
  noticeMs: 2_000,
  greetingMs: 30_000,
  silenceMs: 20_000,
};

/** Clients of a replica that goes away, or whose key was changed, come back at random moments within this time. */
const AWAY_SPREAD_MS = 1_000;
/** The pause after the server asked to come back later. */
const LATER_MS = 1_000;
const CLOSE_GOING_AWAY = 1001;
const CLOSE_TOO_LARGE = 1009;
const CLOSE_LATER = 1013;

/** Close codes of the server after which connecting again would end the same way. */
const FINAL_CLOSES: Readonly<Record<number, string>> = {
  1002: "the server says that the protocol was broken",
  1003: "the server does not take this kind of message",
  1007: "the server could not read the message",
  1008: "the server does not allow the connection",
  [CLOSE_TOO_LARGE]: "the message is larger than the server takes",
};

/** The error for a close after which connecting again is no use, or `undefined` for other closes. */
export function finalError(code: number): ClientError | undefined {
  const reason = FINAL_CLOSES[code];
  if (reason === undefined) return undefined;
  return new ClientError(
    code === CLOSE_TOO_LARGE ? "too-large" : "refused",
    `The connection was closed: ${reason} (${code}).`,
  );
}

/** `tries` counts the tries since the trouble began, at `since`. Both times are in milliseconds of one clock. */
export function isTimeToGiveUp(
  { tries, since }: { tries: number; since: number },
  now: number,
  policy: ReconnectPolicy,
): boolean {
  return tries > 0 && now - since >= policy.limitMs;
}

/**
 * Returns how many milliseconds to wait before the next try. `tries` counts the tries since something last went well. `random` is
 * at least 0 and below 1, and spreads the waits so that many clients do not all come at once.
 */
export function pauseBefore(
  next: { tries: number; closeCode: number; retryAfterMs: number | undefined; awaited: boolean },
  policy: ReconnectPolicy,
  random: number,
): number {
  const { tries, closeCode, retryAfterMs, awaited } = next;
  // The wait is limited, because a mistake of the server must not keep a person waiting.
  if (retryAfterMs !== undefined) return Math.min(retryAfterMs, policy.limitMs) + random * LATER_MS;
  if (closeCode === CLOSE_LATER && tries === 0) return LATER_MS + random * LATER_MS;
  if ((closeCode === CLOSE_GOING_AWAY || closeCode === CLOSE_UNAUTHORIZED) && tries === 0)
    return random * (awaited ? policy.firstMs : AWAY_SPREAD_MS);
  if (tries === 0) return random * policy.firstMs;
  const backoff = exponentialBackoff({ firstMs: policy.firstMs, lastMs: policy.longestMs });
  return jittered(backoff, () => random)(tries);
}
