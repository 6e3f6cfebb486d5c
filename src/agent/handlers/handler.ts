/** What a handler is: the part of an agent that answers one message. */
import type { AgentConfig } from "../../agent-config.ts";
import type { FinishReason, Usage } from "../../protocol/frames.ts";
import type { HistoryMessage } from "../sessions/history-message.ts";

export type TurnEvent =
  | { type: "chunk"; content: string }
  | { type: "tool-call"; id: string; name: string; arguments: Record<string, unknown> }
  /** Exactly one of `result` and `error`. */
  | { type: "tool-result"; id: string; result?: unknown; error?: string };

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
  /** The session's messages before this turn, oldest first. Read from the store only when asked for. */
  history(): Promise<HistoryMessage[]>;
  /** Hands an event on; settles when the next one may be produced, which is how a slow reader holds the model back. */
  emit(event: TurnEvent): Promise<void>;
  /** Adds a message of this turn (assistant or tool) to what the history will hold, also when the turn fails later. */
  record(message: HistoryMessage): void;
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
  run(turn: Turn): Promise<TurnResult>;
}
