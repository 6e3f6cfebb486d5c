/** What a client answers to an approval request, judged before it is kept. */
import type { AgentConfig } from "../../agent-config/agent-config.ts";
import { isTooDeep, MAX_JSON_DEPTH } from "../../promptpack/document/json-depth.ts";
import type { Clock } from "../../time/clock.ts";
import { Deadline } from "../../time/deadline.ts";
import type { AnswerFrame } from "../../protocol/frames.ts";
import { MAX_EDIT_CHECK_MS, RETRY_AFTER_SECONDS } from "../contracts/limits.ts";
import type { Handler } from "../contracts/handler.ts";
import { TurnError } from "../contracts/turn-error.ts";
import type { SessionOwner } from "../sessions/session-client.ts";
import type { CallAnswer, WaitingCalls } from "../sessions/waiting-calls.ts";

export interface NewAnswer {
  readonly sessionId: string;
  readonly client: SessionOwner;
  readonly frame: AnswerFrame;
  /** What the session waits for, as far as is known. */
  readonly waiting: WaitingCalls | undefined;
}

/** No such call waits: it was answered, or denied by a message, or there never was one. */
export function notOpen(callId: string): TurnError {
  const message =
    "No such call waits for an approval: it was answered before, or the session went on without an answer.";
  return new TurnError("INVALID_MESSAGE", message, { details: { id: callId, open: false } });
}

/** Rejects with a TurnError when the arguments may not take the place of those that the model wrote. */
export async function checkEdit(
  { sessionId, frame, waiting }: NewAnswer,
  config: AgentConfig,
  { handler, clock }: { handler: Handler; clock: Clock },
): Promise<void> {
  if (frame.type !== "approve" || frame.arguments === undefined) return;
  const request = waiting?.requests.find(({ approval }) => approval.id === frame.id);
  if (request === undefined) throw notOpen(frame.id);
  if (isTooDeep(frame.arguments)) {
    throw unfit(frame.id, `the arguments are nested more than ${MAX_JSON_DEPTH} deep`);
  }
  using limit = new Deadline({ ms: MAX_EDIT_CHECK_MS, clock });
  const { signal } = limit;
  const call = {
    config,
    sessionId,
    promptVersion: waiting?.promptVersion,
    name: request.approval.name,
    arguments: frame.arguments,
    signal,
  };
  const problem = await handler.problemOfEdit?.(call).catch((error: unknown) => {
    if (!limit.isOver) throw error;
    throw new TurnError("UNAVAILABLE", "It cannot be said now what arguments the tool takes.", {
      details: { retry_after: RETRY_AFTER_SECONDS },
      cause: error,
    });
  });
  if (problem !== undefined) throw unfit(frame.id, problem);
}

function unfit(callId: string, problem: string): TurnError {
  const message = `The call waits still, since it cannot be made so: ${problem}.`;
  return new TurnError("INVALID_MESSAGE", message, { details: { id: callId, open: true } });
}

/** The entry of the journal. Only what the client has set is in it. */
export function answerEntry(frame: AnswerFrame): CallAnswer["entry"] {
  const { id } = frame;
  if (frame.type === "approve") {
    const { arguments: edited } = frame;
    const approved = { type: "call-answered", id, isApproved: true } as const;
    return edited === undefined ? approved : { ...approved, arguments: edited };
  }
  const denied = { type: "call-answered", id, isApproved: false } as const;
  return frame.reason === undefined ? denied : { ...denied, reason: frame.reason };
}
