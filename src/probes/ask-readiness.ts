/** Asks a replica whether it is ready, and if not, why. */
import { type NotReadyReason, readNotReadyAnswer } from "../observability/readiness-answer.ts";
import type { Clock } from "../time/clock.ts";
import { Deadline } from "../time/deadline.ts";
import { getAnswer, type ReplicaAddress } from "./get-answer.ts";

/**
 * It is longer than an agent takes to find out that its store does not answer, because that finding is an answer too. It is short
 * enough that the conditions tell within five seconds of a replica that never answers.
 */
const TIMEOUT_MS = 4_000;

export interface Readiness {
  readonly ready: boolean;
  /** Why it is not ready. They are the words of a program that may be anybody's. */
  readonly reasons: readonly NotReadyReason[];
}

/** Resolves to `undefined` when no whole answer came in time. */
export async function askReadiness(
  address: ReplicaAddress,
  clock: Pick<Clock, "setTimer">,
  signal: AbortSignal,
): Promise<Readiness | undefined> {
  using deadline = new Deadline({ ms: TIMEOUT_MS, clock, signal });
  const answer = await getAnswer(address, "/readyz", deadline.signal);
  if (answer === undefined) return undefined;
  const ready = answer.status === 200;
  return { ready, reasons: ready ? [] : reasonsOf(answer.body) };
}

function reasonsOf(body: string): readonly NotReadyReason[] {
  return readNotReadyAnswer(body) ?? [{ message: "it says that it is not ready" }];
}
