/** How a tool call ended. The error is for the model and for the person who chats, and contains no secret and no internal address. */
export type ToolOutcome = { result: unknown } | { error: string };
