/** A runtime that speaks AG-UI and does what it is told, word for word, without any model. Its flaws are given to it. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { startHttpServer, type HttpServer } from "../processes/http-server.ts";

type Event = Record<string, unknown> & { type: string };

interface Message {
  role: string;
  content?: string;
  toolCallId?: string;
}

interface Input {
  threadId: string;
  runId: string;
  messages: Message[];
  tools: { name: string }[];
}

export interface Flaws {
  /** What becomes of each event; nothing when it is left out. */
  event?: ((event: Event) => Event[]) | undefined;
  /** What the runtime reads in place of its input. */
  input?: ((input: Input, earlier: readonly Message[]) => Input) | undefined;
  maxBytes?: number | undefined;
  contentType?: string | undefined;
  /** The status for what cannot be read. */
  refusal?: number | undefined;
  isOneAtATime?: boolean | undefined;
  diesOfClosedRequests?: boolean | undefined;
  /** Milliseconds between two words. */
  pauseMs?: number | undefined;
}

export async function startObedientRuntime(flaws: Flaws = {}): Promise<HttpServer> {
  const earlier: Message[] = [];
  let last: Promise<void> = Promise.resolve();
  let isDead = false;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (isDead) return void response.destroy();
    request.socket.on("close", () => {
      if (!response.writableFinished && flaws.diesOfClosedRequests === true) isDead = true;
    });
    const body = await text(request);
    const input = body.length > (flaws.maxBytes ?? Infinity) ? 413 : read(body);
    if (typeof input === "number") return void response.writeHead(input).end();
    const seen = flaws.input?.(input, [...earlier]) ?? input;
    earlier.push(...input.messages);
    response.writeHead(200, { "content-type": flaws.contentType ?? "text/event-stream" });
    for (const event of eventsOf(seen)) {
      for (const sent of flaws.event?.(event) ?? [event]) {
        response.write(`data: ${JSON.stringify(sent)}\n\n`);
      }
      await pause(flaws.pauseMs ?? 1);
      if (response.destroyed) return;
    }
    response.end();
  }

  function read(body: string): Input | number {
    const refusal = flaws.refusal ?? 422;
    try {
      const input = JSON.parse(body) as Input;
      return Array.isArray(input.messages) ? input : refusal;
    } catch {
      return refusal;
    }
  }

  return startHttpServer((request, response) => {
    const made =
      flaws.isOneAtATime === true
        ? last.then(() => answer(request, response))
        : answer(request, response);
    last = made.catch(() => {});
  });
}

function* eventsOf(input: Input): Generator<Event> {
  const { threadId, runId } = input;
  const ids = { threadId, runId };
  yield { type: "RUN_STARTED", ...ids };
  yield { type: "STATE_SNAPSHOT", snapshot: {} };
  const answer = answerTo(input);
  if (answer === undefined) {
    yield { type: "RUN_ERROR", message: "no tool was called" };
    return;
  }
  if (typeof answer === "string") {
    yield { type: "TEXT_MESSAGE_START", messageId: runId, role: "assistant" };
    for (const delta of answer.split(/(?<= )/)) {
      yield { type: "TEXT_MESSAGE_CONTENT", messageId: runId, delta };
    }
    yield { type: "TEXT_MESSAGE_END", messageId: runId };
  } else {
    const toolCallId = `call-${runId}`;
    yield { type: "TOOL_CALL_START", toolCallId, toolCallName: answer.call };
    yield { type: "TOOL_CALL_ARGS", toolCallId, delta: '{"key":' };
    yield { type: "TOOL_CALL_ARGS", toolCallId, delta: '"blue"}' };
    yield { type: "TOOL_CALL_END", toolCallId };
  }
  yield { type: "RUN_FINISHED", ...ids };
}

/** Undefined where the messages make no sense. */
function answerTo({ messages, tools }: Input): string | { call: string } | undefined {
  const { role, content = "" } = messages.at(-1) ?? { role: "" };
  if (role === "tool") {
    return messages.some((message) => message.role === "assistant") ? content : undefined;
  }
  const tool = tools.find(({ name }) => content.includes(`Call the tool ${name}`));
  if (tool !== undefined) return { call: tool.name };
  if (content.includes("password?")) {
    const all = messages.map((message) => message.content ?? "").join("\n");
    const told = [...all.matchAll(/password is (\w+)/g)].map(([, word]) => word);
    return told.join(" ") || "I do not know.";
  }
  if (content.startsWith("Count")) return "one two three ".repeat(20);
  return /nothing else: (\w+)/.exec(content)?.[1] ?? "Hello there!";
}
