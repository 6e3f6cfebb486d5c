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
  /** Where the session was in the workflow of its pack when this was said. */
  workflow?: WorkflowPosition;
}

export interface WorkflowPosition {
  readonly state: string;
  /** State to the number of times that the session came to it. */
  readonly visits: Readonly<Record<string, number>>;
  /** The tool calls of the session so far. */
  readonly toolCalls: number;
  /** When the workflow began, in milliseconds since 1970. */
  readonly startedAt: number;
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
  /** The state of the workflow to which the call moved the session. */
  state?: string;
}
