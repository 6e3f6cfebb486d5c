/** A model provider that says what a test tells it, when the test tells it, over OpenAI's chat completions. */
import type { ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import { startHttpServer } from "../processes/http-server.ts";

export interface ModelAnswer {
  say(text: string): void;
  /** Asks for tools, and ends. */
  call(...calls: { id: string; name: string; arguments: object }[]): void;
  end(): void;
}

interface WireMessage {
  readonly role: string;
  readonly content: unknown;
}

export interface ScriptedModel {
  /** With the path that a provider's `baseURL` has. */
  readonly url: string;
  /** How many answers it was asked for. */
  readonly asked: () => number;
  close(): Promise<void>;
}

/** `answer` is told the last message of each request, and its role. */
export async function startScriptedModel(
  answer: (reply: ModelAnswer, last: { role: string; content: string }) => void,
): Promise<ScriptedModel> {
  let count = 0;
  const server = await startHttpServer((request, response) => {
    void json(request).then((body) => {
      count += 1;
      const { messages } = body as { messages: readonly WireMessage[] };
      const last = messages.at(-1);
      const content = last?.content;
      response.writeHead(200, { "content-type": "text/event-stream" });
      answer(new StreamedAnswer(response), {
        role: last?.role ?? "",
        content: typeof content === "string" ? content : JSON.stringify(content),
      });
    });
  });
  return { url: `${server.url}/v1`, asked: () => count, close: () => server.close() };
}

class StreamedAnswer implements ModelAnswer {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  say(text: string): void {
    this.#write({ content: text }, null);
  }

  call(...calls: { id: string; name: string; arguments: object }[]): void {
    const toolCalls = calls.map(({ id, name, arguments: given }, index) => ({
      index,
      id,
      type: "function",
      function: { name, arguments: JSON.stringify(given) },
    }));
    this.#write({ tool_calls: toolCalls }, null);
    this.#finish("tool_calls");
  }

  end(): void {
    this.#finish("stop");
  }

  #finish(reason: string): void {
    this.#write({}, reason);
    this.#response.end("data: [DONE]\n\n");
  }

  #write(delta: object, reason: string | null): void {
    const chunk = {
      id: "answer",
      object: "chat.completion.chunk",
      created: 1,
      model: "scripted",
      choices: [{ index: 0, delta: { role: "assistant", ...delta }, finish_reason: reason }],
      ...(reason === null
        ? {}
        : { usage: { prompt_tokens: 12, completion_tokens: 34, total_tokens: 46 } }),
    };
    this.#response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  }
}
