/** What a handler is: the part of an agent that answers one message. */
import type { AgentConfig } from "../../agent-config/agent-config.ts";
import type { FinishReason, Usage, Warning } from "../../protocol/frames.ts";
import type { TokenBudget } from "./token-budget.ts";
import type { AssistantMessage, HistoryMessage, ToolMessage } from "../sessions/history-message.ts";

export type TurnEvent =
  | { type: "chunk"; content: string }
  /**
   * The call is about to be made. Once this is stored, other replicas assume that it may have had its effect. No other call of
   * the session has its id.
   */
  | {
      type: "tool-call";
      id: string;
      name: string;
      arguments: Record<string, unknown>;
      /** The call that asked the member of the pack that makes this one. */
      parent?: string;
    }
  /** Exactly one of `result` and `error`. */
  | {
      type: "tool-result";
      id: string;
      result?: unknown;
      error?: string;
      /** The state of the workflow to which the call moved the session. */
      state?: string;
    };

/**
 * What was done of a turn before: by a replica that died, of which the clients were sent all, or until calls of it waited for an
 * approval. In the latter case `usage`, `said` and `unfinished` are only of what came since.
 */
export interface EarlierRun {
  /** The complete steps. Only the last one may have calls without an outcome. */
  readonly steps: readonly EarlierStep[];
  /** The sum of all complete steps. */
  readonly usage: Usage | undefined;
  /** The whole answer so far. */
  readonly said: string;
  /** The part of `said` that came after the last complete step. */
  readonly unfinished: string;
}

export interface EarlierStep {
  readonly message: AssistantMessage;
  readonly calls: readonly EarlierCall[];
  /** Set when the step was the last one of its turn, so that only the end of the turn is missing. */
  readonly finishReason: TurnResult["finishReason"] | undefined;
}

export interface EarlierCall {
  readonly id: string;
  readonly name: string;
  /** The arguments as the model wrote them. */
  readonly input: string;
  /** Whether the clients were told of the call, and it may have had its effect. */
  readonly isStarted: boolean;
  readonly outcome: ToolMessage | undefined;
  /** What the user answered when asked whether the call may be made. An edit of the arguments is in `input` already. */
  readonly answer?: ApprovalAnswer | undefined;
}

export type ApprovalAnswer =
  | { readonly isApproved: true }
  | { readonly isApproved: false; readonly reason: string | undefined };

/** A call of the turn's last step that is made only when the user approves it. */
export interface ApprovalRequest {
  readonly id: string;
  readonly name: string;
  readonly arguments: Record<string, unknown>;
}

/** What the journal keeps of a model step beside its message. */
export interface StepNote {
  readonly usage?: Usage | undefined;
  /** The arguments as the model wrote them, by call id. */
  readonly inputs?: Readonly<Record<string, string>> | undefined;
  /** Set for the last step. */
  readonly finishReason?: TurnResult["finishReason"] | undefined;
}

/** One turn, as its handler sees it. */
export interface Turn {
  readonly id: string;
  readonly sessionId: string;
  /** The user's message. The turn's runner puts it into the history; the handler does not. */
  readonly content: string;
  /** Who sent the message, as tools that ask for it are told. Undefined when the agent authenticates nobody. */
  readonly callerSubject?: string | undefined;
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  /** The version of the prompt pack that the session has, if it has one. */
  readonly promptVersion: string | undefined;
  /** The config as it was when the turn began. A turn has the same config from beginning to end. */
  readonly config: AgentConfig;
  /** What the turn may use still; undefined: as much as it likes. */
  readonly budget?: TokenBudget | undefined;
  /** Aborted when the turn has to stop: it was cancelled, its lease was lost, or it reached a limit. */
  readonly signal: AbortSignal;
  /** Set when the turn was begun before. The handler goes on where it stopped. */
  readonly earlier: EarlierRun | undefined;
  /** The session's messages before this turn, oldest first. Read from the store only when asked for. */
  history(): Promise<HistoryMessage[]>;
  /** Hands an event on. Settles when the next one may be produced: so a client that reads slowly slows the model down. */
  emit(event: TurnEvent): Promise<void>;
  /**
   * Adds a message of this turn (assistant or tool) to the history, which keeps it even if the turn fails later. The text of
   * an assistant message has to be emitted before it, and its calls after it.
   */
  record(message: HistoryMessage, note?: StepNote): void;
  /** Says in which state of its workflow the session is from now on. The last frame of the turn tells it. */
  enterState(state: string): void;
  /**
   * Settles when all that was emitted and recorded is stored. A handler waits for it before it calls a tool, and before it
   * asks the model again. Rejects when something could not be stored, or when the turn has to stop.
   */
  stored(): Promise<void>;
}

export interface TurnResult {
  /** The whole answer, for a handler that emits no chunks. Otherwise the answer is all chunks together. */
  content?: string | undefined;
  usage?: Usage | undefined;
  finishReason: Exclude<FinishReason, "cancelled">;
  warnings?: readonly Warning[] | undefined;
  /** Whether the provider failed, and answered when it was asked again. */
  wasAskedAgain?: boolean | undefined;
  /** With `awaiting_approval`: the calls that wait. All of them are in the last message that was recorded with calls. */
  approvals?: readonly ApprovalRequest[] | undefined;
}

/**
 * Answers a message. Rejects with a TurnError to end the turn with its code; anything else that is thrown becomes
 * INTERNAL_ERROR. Once `turn.signal` is aborted it may reject with anything, soon.
 */
export interface Handler {
  /** Set when the handler's calls have no effect, so that a call whose outcome is not known is made again. */
  readonly hasHarmlessCalls?: boolean | undefined;
  run(turn: Turn): Promise<TurnResult>;
  /** Why a call may not be made with these arguments, which are JSON, in place of those that the model wrote. */
  problemOfEdit?(call: EditedCall): Promise<string | undefined>;
}

export interface EditedCall {
  readonly config: AgentConfig;
  readonly sessionId: string;
  readonly promptVersion: string | undefined;
  /** The name of the tool, as the model wrote it. */
  readonly name: string;
  readonly arguments: Record<string, unknown>;
  readonly signal: AbortSignal;
}
