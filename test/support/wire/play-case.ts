/** Plays a case of test/cases/providers: an agent in this process asks a server that answers as the case says. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { buffer, json } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import type { ProviderConfig } from "../../../src/agent-config/agent-config.ts";
import type { ServerFrame } from "../../../src/protocol/frames.ts";
import type { AtTheEnd, ChatClient } from "../agent/chat-client.ts";
import { TestAgent } from "../agent/test-agent.ts";
import { aRuntimeConfig, aTool } from "../builders/agent-config.ts";
import { startHttpServer } from "../processes/http-server.ts";
import { ordinaryAnswer } from "./ordinary-answer.ts";
import { readAnswerBytes, type WireAnswer, type WireCase } from "./wire-case.ts";
import { problemByRule } from "./wire-rule.ts";

const HANG_UP_LIMIT_MS = 5_000;

export interface PlayedTurn {
  /** The frame that ended the turn. */
  end: Extract<ServerFrame, { type: "done" | "error" }>;
  /** The bodies of the requests to the provider. */
  requests: Buffer[];
  tools: { name: string; arguments: unknown }[];
  hungUp: boolean;
}

export interface PlayedCase {
  turns: [PlayedTurn, PlayedTurn];
  /** All frames of the session. */
  frames: readonly ServerFrame[];
}

const PROVIDERS = {
  chat: { name: "openai", model: "test-model" },
  responses: { name: "openai", model: "gpt-5-mini", api: "responses" },
  anthropic: { name: "anthropic", model: "claude-sonnet-4-5" },
  google: { name: "google", model: "gemini-3-flash-preview" },
} as const satisfies Record<WireCase["api"], Partial<ProviderConfig>>;

export async function playCase(wireCase: WireCase, atTheEnd: AtTheEnd): Promise<PlayedCase> {
  const turns: Omit<PlayedTurn, "end" | "hungUp">[] = [];
  const open = new Set<ServerResponse>();

  async function answerModel(request: IncomingMessage, response: ServerResponse): Promise<void> {
    open.add(response);
    response.once("close", () => open.delete(response));
    const body = await buffer(request);
    const turn = turns.at(-1);
    if (turn === undefined) throw new Error("a request came before the first message");
    const isFirst = turns.length === 1;
    const answers = isFirst ? wireCase.first : wireCase.second;
    const answer = answers[turn.requests.length] ?? (wireCase.repeat ? answers.at(-1) : undefined);
    turn.requests.push(body);
    await giveAnswer(wireCase, answer, body, response);
  }
  async function answerTool(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = request.url === "/now" ? "now" : "weather";
    const given = (await json(request)) as { city?: unknown };
    turns.at(-1)?.tools.push({ name, arguments: given });
    const result =
      name === "now" ? { now: "2026-01-01T12:00:00Z" } : { city: given.city, celsius: 18 };
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(result));
  }

  const server = await startHttpServer(answerModel);
  const tools = await startHttpServer(answerTool);
  atTheEnd(async () => {
    await server.close();
    await tools.close();
  });
  const agent = await startAgent(wireCase, { url: server.url, toolsUrl: tools.url, atTheEnd });
  const client = await agent.connect("/", { atTheEnd });

  async function playTurn(content: string, cancels: boolean): Promise<PlayedTurn> {
    const turn: (typeof turns)[number] = { requests: [], tools: [] };
    turns.push(turn);
    client.say(content);
    const end = await endOf(client, cancels);
    return { ...turn, end, hungUp: await becomesEmpty(open) };
  }
  const first = await playTurn("What is the weather in Oslo?", wireCase.client !== undefined);
  const second = await playTurn("And now?", false);
  return { turns: [first, second], frames: client.frames };
}

function startAgent(
  { api, agent }: WireCase,
  { url, toolsUrl, atTheEnd }: { url: string; toolsUrl: string; atTheEnd: AtTheEnd },
): Promise<TestAgent> {
  const provider = {
    ...PROVIDERS[api],
    ...(agent as Partial<ProviderConfig>),
    baseURL: url,
  };
  const config = aRuntimeConfig({
    provider,
    tools: [
      aTool({ name: "weather", url: `${toolsUrl}/weather` }),
      aTool({
        name: "now",
        url: `${toolsUrl}/now`,
        description: "Tells the time",
        inputSchema: { type: "object", properties: {} },
      }),
    ],
  });
  return TestAgent.start({ config, files: { "provider/api-key": "sk-test" }, atTheEnd });
}

async function giveAnswer(
  wireCase: WireCase,
  answer: WireAnswer | undefined,
  body: Buffer,
  response: ServerResponse,
): Promise<void> {
  const rules = answer?.require ?? [];
  if (answer !== undefined && rules.some((rule) => problemByRule(rule, body.toString()))) {
    const { status, json: refusal } = answer.otherwise;
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(refusal));
    return;
  }
  if (answer?.file === undefined) {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(ordinaryAnswer(wireCase.api));
    return;
  }
  const bytes = readAnswerBytes(wireCase, answer.file);
  response.writeHead(answer.status, answer.headers);
  response.socket?.setNoDelay(true);
  const size = answer.split ?? Math.max(bytes.length, 1);
  for (let at = 0; at < bytes.length; at += size) {
    await new Promise<void>((resolve) => {
      response.write(bytes.subarray(at, at + size), () => setImmediate(resolve));
    });
  }
  if (answer.then === "cut") response.destroy();
  else if (answer.then === undefined) response.end();
}

async function endOf(client: ChatClient, cancels: boolean): Promise<PlayedTurn["end"]> {
  let isCancelled = !cancels;
  for (;;) {
    const frame = await client.next();
    if (frame.type === "done" || frame.type === "error") return frame;
    if (frame.type === "chunk" && !isCancelled) {
      isCancelled = true;
      client.send({ type: "cancel" });
    }
  }
}

async function becomesEmpty(open: ReadonlySet<unknown>): Promise<boolean> {
  const end = Date.now() + HANG_UP_LIMIT_MS;
  while (open.size > 0) {
    if (Date.now() > end) return false;
    await sleep(5);
  }
  return true;
}
