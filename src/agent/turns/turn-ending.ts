import type { ErrorBody, FinishReason, Usage, Warning } from "../../protocol/frames.ts";
import type { RequestStatus } from "../contracts/agent-metrics.ts";
import { RETRY_AFTER_SECONDS } from "../contracts/limits.ts";
import {
  SessionGoneError,
  StoreUnavailableError,
  TurnLostError,
} from "../sessions/session-store.ts";
import type { ApprovalRequest, TurnResult } from "../contracts/handler.ts";
import { TurnError } from "../contracts/turn-error.ts";

/** Why a turn was stopped before its handler came to its end. */
export type StopReason =
  | "cancelled"
  | "answer-too-long"
  | "silent"
  | "shutting-down"
  | "store-unavailable"
  | "lease-lost"
  | "session-gone";

/** The reason of the turn's signal. */
export class TurnStopped extends Error {
  override readonly name = "TurnStopped";
  readonly reason: StopReason;

  constructor(reason: StopReason) {
    super(`the turn was stopped: ${reason}`);
    this.reason = reason;
  }
}

export type TurnEnding =
  | {
      type: "done";
      finishReason: FinishReason;
      usage: Usage | undefined;
      content: string | undefined;
      warnings?: readonly Warning[] | undefined;
      wasAskedAgain?: boolean | undefined;
      /** The calls that wait for an approval. */
      approvals?: readonly ApprovalRequest[] | undefined;
    }
  | { type: "error"; error: ErrorBody; cause: unknown }
  /** Nothing more can be written to the session: another replica has the turn, or, with an error, the session is gone. */
  | { type: "lost"; error?: ErrorBody | undefined };

/** An ending that the session store is told of. */
export type StoredEnding = Exclude<TurnEnding, { type: "lost" }>;

/** Tells the client that a turn was cut off, and that no more frames of it will come. */
export const INTERRUPTED: ErrorBody = {
  code: "UNAVAILABLE",
  message: "The turn was interrupted. Send the message again, under a new id.",
};

/** Tells the client that nothing more will come of a turn and its session. */
export const SESSION_DELETED: ErrorBody = {
  code: "SESSION_NOT_FOUND",
  message: "The session was deleted.",
};

export function endingOfResult(result: TurnResult): TurnEnding {
  return {
    type: "done",
    finishReason: result.finishReason,
    usage: result.usage,
    content: result.content,
    approvals: result.approvals,
    warnings: result.warnings,
    wasAskedAgain: result.wasAskedAgain,
  };
}

export function endingOfStop(reason: StopReason, usage?: Usage): TurnEnding {
  switch (reason) {
    case "cancelled":
      return { type: "done", finishReason: "cancelled", usage, content: undefined };
    case "answer-too-long":
      return { type: "done", finishReason: "length", usage, content: undefined };
    case "silent":
      return failed("INTERNAL_ERROR", "The agent made no progress for too long and gave up.");
    case "shutting-down":
      return failed(
        "UNAVAILABLE",
        "The agent is shutting down. Connect again and resend the message.",
        {
          retry_after: RETRY_AFTER_SECONDS,
        },
      );
    case "store-unavailable":
      return endingOfError(new StoreUnavailableError());
    case "lease-lost":
      return { type: "lost" };
    case "session-gone":
      return { type: "lost", error: SESSION_DELETED };
  }
}

/** Why a turn stops whose write was rejected so. */
export function reasonOfLoss(error: TurnLostError): StopReason {
  return error instanceof SessionGoneError ? "session-gone" : "lease-lost";
}

export function endingOfError(error: unknown): TurnEnding {
  if (error instanceof TurnLostError) return endingOfStop(reasonOfLoss(error));
  return { type: "error", error: errorBody(error), cause: error };
}

/** What a client is told of an error. Only the words of a TurnError are meant for clients. */
export function errorBody(error: unknown): ErrorBody {
  if (error instanceof TurnError) {
    return {
      code: error.code,
      message: error.message,
      ...(error.details === undefined ? {} : { details: error.details }),
    };
  }
  if (error instanceof StoreUnavailableError) {
    return {
      code: "UNAVAILABLE",
      message: "The session store is not available. The session is kept; try again.",
      details: { retry_after: RETRY_AFTER_SECONDS },
    };
  }
  return { code: "INTERNAL_ERROR", message: "Something went wrong inside the agent. Try again." };
}

/** What is told of the end of a turn where turns are counted. */
export interface TurnOutcome {
  /** `moved`: another replica goes on with it, and counts it when it ends. */
  readonly status: RequestStatus | "moved";
  readonly finishReason?: FinishReason | undefined;
  readonly code?: ErrorBody["code"] | undefined;
}

export const MOVED: TurnOutcome = { status: "moved" };

export function outcomeOf(ending: StoredEnding): TurnOutcome {
  if (ending.type === "error") return outcomeOfFailure(ending.error);
  const { finishReason } = ending;
  return { status: finishReason === "cancelled" ? "cancelled" : "success", finishReason };
}

export function outcomeOfFailure({ code }: ErrorBody): TurnOutcome {
  return { status: "error", code };
}

function failed(
  code: ErrorBody["code"],
  message: string,
  details?: Record<string, unknown>,
): TurnEnding {
  return {
    type: "error",
    error: { code, message, ...(details === undefined ? {} : { details }) },
    cause: undefined,
  };
}
