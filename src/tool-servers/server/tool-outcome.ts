/** How a tool call ended. The error is for the model and for the person who chats, and contains no secret and no internal address. */
export type ToolOutcome =
  | {
      result: unknown;
      /** The state of the workflow to which the call moved its session. No server outside of the agent moves one. */
      state?: string;
    }
  | { error: string };
