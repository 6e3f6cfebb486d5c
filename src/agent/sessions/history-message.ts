/** What a session remembers: messages in the order in which the model is to see them. */
export type HistoryMessage = UserMessage | AssistantMessage | ToolMessage;

interface OfTurn {
  turnId: string;
}

export interface UserMessage extends OfTurn {
  role: "user";
  content: string;
}

export interface AssistantMessage extends OfTurn {
  role: "assistant";
  content: string;
  toolCalls?: HistoryToolCall[];
  /** What the provider wants back with the text (signatures and the like), as its package gave it. */
  providerMetadata?: Record<string, unknown>;
  /** The turn was cancelled or failed before the answer was whole. */
  partial?: boolean;
  /** The user's message of this turn was refused. It stays in the store, and no model is told of the turn. */
  isMessageRefused?: boolean;
}

export interface HistoryToolCall {
  id: string;
  name: string;
  arguments: Record<string, unknown>;
  providerMetadata?: Record<string, unknown>;
}

/** The outcome of one tool call; follows the assistant message that made it. */
export interface ToolMessage extends OfTurn {
  role: "tool";
  toolCallId: string;
  toolName: string;
  /** Exactly one of `result` and `error`. */
  result?: unknown;
  error?: string;
}
