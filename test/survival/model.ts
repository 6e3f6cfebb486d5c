/** The model of the survival test, on a third party's server, and the tool with a side effect, which keeps a ledger. */
import { json } from "node:stream/consumers";
import { LLMock } from "@copilotkit/aimock";
import { startHttpServer } from "../support/processes/http-server.ts";
import type { SurvivalRandom } from "./random.ts";
import {
  callIdOf,
  firstWordsOf,
  lastWordsOf,
  PAY_TOOL,
  PIECE_CHARACTERS,
  turnOfMessage,
  type SurvivalTurn,
} from "./turn.ts";

export interface SurvivalModel extends AsyncDisposable {
  readonly url: string;
  /** How often it was asked. */
  readonly asked: () => number;
}

interface Asked {
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
}

/** Says one piece after each pause. */
export async function startSurvivalModel(pauseMs: number): Promise<SurvivalModel> {
  let asked = 0;
  const mock = new LLMock({
    port: 0,
    logLevel: "silent",
    chunkSize: PIECE_CHARACTERS,
    latency: pauseMs,
    journalMaxEntries: 1,
  });
  mock.on({ hasToolResult: false }, (request) => {
    asked += 1;
    const turn = askedTurn(request);
    if (!turn.pays) return { content: lastWordsOf(turn) };
    const call = {
      id: callIdOf(turn),
      name: PAY_TOOL,
      arguments: JSON.stringify({ call: callIdOf(turn) }),
    };
    return { content: firstWordsOf(turn), toolCalls: [call] };
  });
  mock.on({ hasToolResult: true }, (request) => {
    asked += 1;
    return { content: lastWordsOf(askedTurn(request)) };
  });
  await mock.start();
  return {
    url: mock.url,
    asked: () => asked,
    [Symbol.asyncDispose]: () => mock.stop(),
  };
}

export function askedTurn({ messages }: Asked): SurvivalTurn {
  const { content } = messages.findLast(({ role }) => role === "user") ?? {};
  if (typeof content === "string") return turnOfMessage(content);
  const [part] = content as { text: string }[];
  return turnOfMessage(part?.text ?? "");
}

export interface SurvivalTool extends AsyncDisposable {
  readonly url: string;
  /** The id of each call that had its effect, in the order of the effects. */
  readonly ledger: readonly string[];
}

/** Has its effect at once, and is slow to say so. */
export async function startSurvivalTool(
  random: SurvivalRandom,
  slownessMs: { from: number; to: number },
): Promise<SurvivalTool> {
  const ledger: string[] = [];
  const server = await startHttpServer(async (request, response) => {
    const { call } = (await json(request)) as { call: string };
    ledger.push(call);
    setTimeout(
      () => {
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify({ paid: call }));
      },
      random.fork(call).between(slownessMs.from, slownessMs.to),
    );
  });
  return {
    url: `${server.url}/pay`,
    ledger,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
