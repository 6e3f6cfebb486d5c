import type { Handler } from "../contracts/handler.ts";

/** Answers every message with its own content. */
export const echoHandler: Handler = {
  async run(turn) {
    return { content: turn.content, finishReason: "stop" };
  },
};
