/** Asks a replica whether it is ready, and if not, why. */
import { get } from "node:http";
import { type NotReadyReason, readNotReadyAnswer } from "../observability/readiness-answer.ts";
import type { Clock } from "../time/clock.ts";
import { Deadline } from "../time/deadline.ts";

/**
 * It is longer than an agent takes to find out that its store does not answer, because that finding is an answer too. It is short
 * enough that the conditions tell within five seconds of a replica that never answers.
 */
const TIMEOUT_MS = 4_000;
/** No more of an answer is read. */
const MAX_ANSWER_BYTES = 16 * 1024;

export interface Readiness {
  readonly ready: boolean;
  /** Why it is not ready. They are the words of a program that may be anybody's. */
  readonly reasons: readonly NotReadyReason[];
}

/** Resolves to `undefined` when no whole answer came in time. */
export async function askReadiness(
  { host, port }: { host: string; port: number },
  clock: Pick<Clock, "setTimer">,
  signal: AbortSignal,
): Promise<Readiness | undefined> {
  using deadline = new Deadline({ ms: TIMEOUT_MS, clock, signal });
  return await request(host, port, deadline.signal);
}

function request(host: string, port: number, signal: AbortSignal): Promise<Readiness | undefined> {
  return new Promise((resolve) => {
    const sent = get({ host, port, path: "/readyz", agent: false, signal }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        body += text;
        if (body.length > MAX_ANSWER_BYTES) sent.destroy();
      });
      response.on("close", () => {
        const isWhole = response.complete || body.length > MAX_ANSWER_BYTES;
        const ready = response.statusCode === 200;
        resolve(isWhole ? { ready, reasons: ready ? [] : reasonsOf(body) } : undefined);
      });
    });
    sent.on("error", () => resolve(undefined));
  });
}

function reasonsOf(body: string): readonly NotReadyReason[] {
  return readNotReadyAnswer(body) ?? [{ message: "it says that it is not ready" }];
}
