/** Turns with an agent whose model server sends damaged streams, and what must never come of them. */
import type { ServerResponse } from "node:http";
import { buffer, json } from "node:stream/consumers";
import { isDeepStrictEqual } from "node:util";
import type { ProviderConfig } from "../../../src/agent-config/agent-config.ts";
import type { ServerFrame } from "../../../src/protocol/frames.ts";
import { systemClock } from "../../../src/time/clock.ts";
import { within, LATE } from "../../../src/time/within.ts";
import type { AtTheEnd } from "../agent/chat-client.ts";
import type { WireBody } from "../agent/model-server.ts";
import { TestAgent } from "../agent/test-agent.ts";
import { aRuntimeConfig, aTool } from "../builders/agent-config.ts";
import { startHttpServer } from "../processes/http-server.ts";
import { problemsOfFrames } from "../wire/frame-rules.ts";
import { ordinaryAnswer } from "../wire/ordinary-answer.ts";
import { problemsOfRequest } from "../wire/request-rules.ts";
import type { WireApi } from "../wire/wire-case.ts";
import { damagedStream, type Damage, type DamagedStream } from "./damaged-stream.ts";
import { argumentsOf, PLANNED_USAGE, plannedEvents, type PlannedAnswer } from "./planned-answer.ts";

/** An end has to come within this. It is long, since the machine may be busy. */
const TURN_LIMIT_MS = 20_000;
const MAX_REQUESTS = 10;
/** More than the calls of one answer. */
const NUMBERS_PER_TALK = 10;

const PROVIDERS = {
  chat: { name: "openai", model: "test-model" },
  responses: { name: "openai", model: "gpt-5-mini", api: "responses" },
  anthropic: { name: "anthropic", model: "claude-sonnet-4-5" },
  google: { name: "google", model: "gemini-3-flash-preview" },
} as const satisfies Record<WireApi, Partial<ProviderConfig>>;

/** Asks the model in one protocol. */
export interface DamagedTalks {
  /** A session of two messages, one after another session, of which the first is answered by a damaged stream. Answers what went wrong, in words. */
  talk(answer: PlannedAnswer, damage: Damage): Promise<string[]>;
}

type End = Extract<ServerFrame, { type: "done" | "error" }>;

interface Talk {
  stream: DamagedStream;
  damage: Damage;
  requests: Buffer[];
  /** How often each call was made, with its arguments. */
  ran: { city: unknown; n: unknown }[];
}

export async function startDamagedTalks(api: WireApi, atTheEnd: AtTheEnd): Promise<DamagedTalks> {
  const talks: Talk[] = [];
  const model = await startHttpServer(async (request, response) => {
    const body = await buffer(request);
    const { talk, isFirst } = talkOf(talks, api, body);
    talk.requests.push(body);
    response.writeHead(200, { "content-type": "text/event-stream" });
    if (isFirst) await send(talk, response);
    else response.end(ordinaryAnswer(api));
  });
  const tool = await startHttpServer(async (request, response) => {
    const given = (await json(request)) as { city: unknown; n: unknown };
    talks.at(-1)?.ran.push(given);
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ celsius: 18 }));
  });
  atTheEnd(async () => {
    await model.close();
    await tool.close();
  });
  const inputSchema = {
    type: "object",
    properties: { city: { type: "string" }, n: { type: "integer" } },
    // What a call lacks is for the rules below to find.
    required: [],
  };
  const agent = await TestAgent.start({
    config: aRuntimeConfig({
      provider: { ...PROVIDERS[api], baseURL: model.url },
      tools: [aTool({ name: "weather", url: tool.url, inputSchema })],
    }),
    files: { "provider/api-key": "sk-test" },
    // Nobody waits here until a server has recovered.
    clock: {
      ...systemClock,
      sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 5), signal),
    },
    atTheEnd,
  });

  return {
    async talk(answer, damage) {
      const number = talks.length;
      const firstCall = number * NUMBERS_PER_TALK;
      const stream = damagedStream(plannedEvents(api, answer, firstCall), damage);
      const talk: Talk = { stream, damage, requests: [], ran: [] };
      talks.push(talk);
      const leaving: (() => unknown)[] = [];
      const client = await agent.connect("/", { atTheEnd: (leave) => void leaving.push(leave) });
      async function ask(question: string): Promise<End | undefined> {
        client.say(question);
        const end = (async (): Promise<End> => {
          for (;;) {
            const frame = await client.next();
            if (frame.type === "done" || frame.type === "error") return frame;
          }
        })();
        const result = await within(TURN_LIMIT_MS, end, systemClock);
        return result === LATE ? undefined : result;
      }
      const first = await ask(`talk ${number}, first message`);
      const requestsOfFirst = talk.requests.length;
      const second = first && (await ask(`talk ${number}, second message`));
      for (const leave of leaving) await leave();
      return [
        ...problemsOfFirst(answer, firstCall, talk, first),
        ...(requestsOfFirst > MAX_REQUESTS ? [`${requestsOfFirst} requests in a turn`] : []),
        ...problemsOfSecond(second),
        ...talk.requests.flatMap((body) => problemsOfRequest(api, body)),
        ...problemsOfFrames(client.frames),
      ];
    },
  };
}

function problemsOfFirst(
  answer: PlannedAnswer,
  firstCall: number,
  { stream, ran }: Talk,
  end: End | undefined,
): string[] {
  if (end === undefined) return ["the turn does not end"];
  const problems: string[] = [];
  const isDone = end.type === "done";
  if (isDone && !stream.saysEnd) problems.push(`half an answer is done: ${JSON.stringify(end)}`);
  if (ran.length > 0 && !stream.saysEnd) problems.push("tools of half an answer were called");
  const numbers = ran.map(({ n }) => n);
  const isTwice = new Set(numbers).size < numbers.length;
  if (isTwice && !stream.hidesTwice) problems.push(`calls were made twice: ${numbers.join()}`);
  const planned = answer.calls.map((call, index) => argumentsOf(call, firstCall + index));
  const unplanned = ran.filter((given) => !planned.some((call) => isDeepStrictEqual(call, given)));
  if (stream.isBeginning && unplanned.length > 0) {
    problems.push(`calls were made with other arguments: ${JSON.stringify(unplanned)}`);
  }
  const half = ran.filter(({ city, n }) => city === undefined || n === undefined);
  if (!stream.lacksPieces && half.length > 0) {
    problems.push(`calls were made with half of their arguments: ${JSON.stringify(half)}`);
  }
  if (!stream.isWhole) return problems;

  if (ran.length !== planned.length) problems.push(`${ran.length} calls, not ${planned.length}`);
  if (end.type === "error") return [...problems, `the answer is refused: ${end.error.message}`];
  const text = answer.texts.join("");
  const isRight =
    planned.length === 0 ? end.content === text : end.content.startsWith(text.trimEnd());
  if (!isRight) problems.push(`${JSON.stringify(end.content)} was said`);
  if (planned.length === 0 && !isDeepStrictEqual(end.usage, PLANNED_USAGE)) {
    problems.push(`the usage is ${JSON.stringify(end.usage)}`);
  }
  return problems;
}

function problemsOfSecond(end: End | undefined): string[] {
  if (end === undefined) return ["the second turn does not end"];
  return end.type === "done" && end.content === "All good."
    ? []
    : [`the second turn ended with ${JSON.stringify(end)}`];
}

/** The talk that a request belongs to, and whether it is to be answered by the damaged stream. */
function talkOf(
  talks: readonly Talk[],
  api: WireApi,
  bytes: Buffer,
): { talk: Talk; isFirst: boolean } {
  const body: WireBody = JSON.parse(bytes.toString());
  const items: WireBody[] = body.messages ?? body.input ?? body.contents;
  const [, number, which] =
    [...bytes.toString().matchAll(/talk (\d+), (first|second) message/g)].at(-1) ?? [];
  const talk = talks[Number(number)];
  if (talk === undefined) throw new Error("a request belongs to no talk");
  return { talk, isFirst: which === "first" && isQuestion(api, items.at(-1)) };
}

function isQuestion(api: WireApi, item: WireBody): boolean {
  if (item.role !== "user") return false;
  if (api === "anthropic") {
    return !item.content.some(({ type }: WireBody) => type === "tool_result");
  }
  return api !== "google" || item.parts[0].functionResponse === undefined;
}

async function send({ stream, damage }: Talk, response: ServerResponse): Promise<void> {
  response.socket?.setNoDelay(true);
  let piece = 0;
  for (let at = 0; at < stream.bytes.length;) {
    const size = damage.pieces[piece++ % damage.pieces.length] as number;
    await new Promise<void>((resolve) => {
      response.write(stream.bytes.subarray(at, at + size), () => setImmediate(resolve));
    });
    at += size;
    if (response.destroyed) return;
  }
  if (damage.breaks) response.destroy();
  else response.end();
}
