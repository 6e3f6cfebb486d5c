import type { WireApi } from "./wire-case.ts";

const TEXT = "All good.";

/** The streamed answer of a well-behaved server. */
export function ordinaryAnswer(api: WireApi): string {
  return answers[api]()
    .map((event) => {
      const name = api === "anthropic" ? `event: ${(event as { type: string }).type}\n` : "";
      return `${name}data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`;
    })
    .join("");
}

const answers: Record<WireApi, () => (object | string)[]> = {
  chat() {
    const head = { id: "c", object: "chat.completion.chunk", created: 1, model: "m" };
    return [
      { ...head, choices: [{ index: 0, delta: { role: "assistant", content: TEXT } }] },
      { ...head, choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
      "[DONE]",
    ];
  },
  responses() {
    const response = { id: "resp_9", created_at: 1, model: "m" };
    const item = { type: "message", id: "msg_9", role: "assistant" };
    const usage = { input_tokens: 5, output_tokens: 5, total_tokens: 10 };
    return [
      { type: "response.created", response: { ...response, status: "in_progress", output: [] } },
      { type: "response.output_item.added", output_index: 0, item: { ...item, content: [] } },
      {
        type: "response.output_text.delta",
        item_id: "msg_9",
        output_index: 0,
        content_index: 0,
        delta: TEXT,
      },
      {
        type: "response.output_item.done",
        output_index: 0,
        item: { ...item, content: [{ type: "output_text", text: TEXT, annotations: [] }] },
      },
      { type: "response.completed", response: { ...response, status: "completed", usage } },
    ];
  },
  anthropic() {
    const usage = { input_tokens: 9, output_tokens: 1 };
    const message = { id: "msg_9", type: "message", role: "assistant", content: [], model: "m" };
    return [
      { type: "message_start", message: { ...message, usage } },
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: TEXT } },
      { type: "content_block_stop", index: 0 },
      { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 7 } },
      { type: "message_stop" },
    ];
  },
  google() {
    const content = { role: "model", parts: [{ text: TEXT }] };
    return [{ candidates: [{ index: 0, content, finishReason: "STOP" }], modelVersion: "m" }];
  },
};
