/** One attempt of a call that is a single HTTP request, and what may follow it. */
import type { Clock } from "../../time/clock.ts";
import { Deadline } from "../../time/deadline.ts";
import type { Attempt } from "../server/gated-calls.ts";
import type { GuardedTransport } from "../server/guarded-transport.ts";
import { MAX_TOOL_RETRY_WAIT_MS } from "../server/limits.ts";
import type { ToolCallOptions } from "../server/tool-server.ts";
import { TransportError } from "../server/transport-error.ts";
import { readOutcome, type ReadOutcomeOptions } from "./http-answer.ts";
import type { HttpToolRequest } from "./http-request.ts";
import { mayTryAfterFailure, mayTryAfterStatus, readRetryAfter } from "./retry-rule.ts";

const NOT_REACHED = new Set([502, 503, 504]);

export interface HttpAttemptOptions extends Omit<ReadOutcomeOptions, "secrets"> {
  readonly transport: GuardedTransport;
  readonly clock: Clock;
}

export async function tryRequest(
  request: HttpToolRequest,
  { transport, clock, ...answer }: HttpAttemptOptions,
  { signal, timeoutMs }: ToolCallOptions,
): Promise<Attempt> {
  const { method, secrets } = request;
  using deadline = new Deadline({ ms: timeoutMs, clock, signal });
  let hasAnswered = false;
  try {
    const response = await transport.send(request, deadline.signal);
    hasAnswered = true;
    const { status, headers } = response;
    const outcome = await readOutcome(response, { ...answer, secrets });
    const waitMs = readRetryAfter(headers["retry-after"]?.toString(), {
      now: clock.now(),
      mostMs: MAX_TOOL_RETRY_WAIT_MS,
    });
    return {
      outcome,
      result: NOT_REACHED.has(status) ? "failed" : "answered",
      mayTryAgain: mayTryAfterStatus(method, status, waitMs),
      waitMs,
    };
  } catch (error) {
    // The tool may have carried out a call that ran out of time, so the call is not made again.
    if (deadline.isOver) {
      return failed(`the tool did not answer within ${timeoutMs / 1000} seconds`);
    }
    if (hasAnswered || !(error instanceof TransportError)) {
      return failed("the tool broke off in the middle of its answer");
    }
    return { ...failed(error.message), mayTryAgain: mayTryAfterFailure(method, error) };
  }
}

function failed(error: string): Attempt {
  return { outcome: { error }, result: "failed", mayTryAgain: false };
}
