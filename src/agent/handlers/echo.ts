import type { Handler } from "./handler.ts";

/** Answers every message with its own content. */
export const echoHandler: Handler = {
  async run(turn) {
    return { content: turn.content, finishReason: "stop" };
  },
};
