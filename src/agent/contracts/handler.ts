/** What a handler is: the part of an agent that answers one message. */
import type { AgentConfig } from "../../agent-config/agent-config.ts";
import type { FinishReason, Usage } from "../../protocol/frames.ts";
import type { AssistantMessage, HistoryMessage, ToolMessage } from "../sessions/history-message.ts";

export type TurnEvent =
  | { type: "chunk"; content: string }
  /** The call is about to be made: once this is stored, another replica takes its effect to be possible. */
  | { type: "tool-call"; id: string; name: string; arguments: Record<string, unknown> }
  /** Exactly one of `result` and `error`. */
  | { type: "tool-result"; id: string; result?: unknown; error?: string };

/** What a replica that died had done of a turn. The clients had all of it. */
export interface EarlierRun {
  /** The complete ones. Only the last one may have calls without an outcome. */
  readonly steps: readonly EarlierStep[];
  /** Of all complete steps. */
  readonly usage: Usage | undefined;
  /** The whole answer so far, … */
  readonly said: string;
  /** … and its end, which was said after the last complete step. */
  readonly unfinished: string;
  /** Of the prompt pack, as content hash. */
  readonly promptVersion: string | undefined;
}

export interface EarlierStep {
  readonly message: AssistantMessage;
  readonly calls: readonly EarlierCall[];
  /** Of the step that was the last one of its turn: only the turn's end is missing. */
  readonly finishReason: TurnResult["finishReason"] | undefined;
}

export interface EarlierCall {
  readonly id: string;
  readonly name: string;
  /** The arguments as the model wrote them. */
  readonly input: string;
  /** The clients were told of it, and it may have had its effect. */
  readonly isStarted: boolean;
  readonly outcome: ToolMessage | undefined;
}

/** What is noted of a model step beside its message. */
export interface StepNote {
  readonly usage?: Usage | undefined;
  /** By call id: the arguments as the model wrote them. */
  readonly inputs?: Readonly<Record<string, string>> | undefined;
  /** Of the last step. */
  readonly finishReason?: TurnResult["finishReason"] | undefined;
}

/** One turn, as its handler sees it. */
export interface Turn {
  readonly id: string;
  readonly sessionId: string;
  /** The user's message. The turn's runner puts it into the history; the handler does not. */
  readonly content: string;
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  /** The config as it was when the turn began; a turn sees one config from beginning to end. */
  readonly config: AgentConfig;
  /** Aborted when the turn is cancelled or its lease was lost. */
  readonly signal: AbortSignal;
  /** Set when the turn was begun by a replica that died; the handler goes on from there. */
  readonly earlier: EarlierRun | undefined;
  /** The session's messages before this turn, oldest first. Read from the store only when asked for. */
  history(): Promise<HistoryMessage[]>;
  /** Hands an event on; settles when the next one may be produced, which is how a slow reader holds the model back. */
  emit(event: TurnEvent): Promise<void>;
  /**
   * Adds a message of this turn (assistant or tool) to what the history will hold, also when the turn fails later. What an
   * assistant message says was emitted before, and its calls are emitted after.
   */
  record(message: HistoryMessage, note?: StepNote): void;
  /**
   * Settles when all that was emitted and recorded is stored: awaited before a tool is called, and before the model is
   * asked again. Rejects when it could not be stored, or the turn is stopped.
   */
  stored(): Promise<void>;
}

export interface TurnResult {
  /** The whole answer, when it was not emitted as chunks. Otherwise the runner joins the chunks. */
  content?: string;
  usage?: Usage;
  finishReason: Exclude<FinishReason, "cancelled">;
}

/**
 * Answers a message. Rejects with a TurnError to end the turn with its code; anything else that is thrown becomes
 * INTERNAL_ERROR. Once `turn.signal` is aborted it may reject with anything, soon.
 */
export interface Handler {
  /** Its calls have no effect: one whose outcome is not known is made again. */
  readonly hasHarmlessCalls?: boolean;
  run(turn: Turn): Promise<TurnResult>;
}
