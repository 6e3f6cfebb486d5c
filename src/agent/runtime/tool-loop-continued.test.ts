/** The tool loop of a turn that another replica began. */
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { startHttpServer } from "../../../test/support/processes/http-server.ts";
import { startModelServer } from "../../../test/support/agent/model-server.ts";
import {
  RecordingTurn,
  type RecordingTurnOptions,
} from "../../../test/support/agent/recording-turn.ts";
import { aRuntimeConfig, aTool } from "../../../test/support/builders/agent-config.ts";
import type { PromptConfig } from "../../agent-config/agent-config.ts";
import { systemClock } from "../../time/clock.ts";
import { createLog } from "../../observability/log.ts";
import type { EarlierRun, EarlierStep } from "../contracts/handler.ts";
import { createRuntimeHandler } from "./runtime-handler.ts";
import { forEachTest } from "../../../test/support/builders/fixtures.ts";

const model = forEachTest(
  () => startModelServer(),
  (model) => model.close(),
);
const called = forEachTest<string[]>(() => []);
const tool = forEachTest(
  () =>
    startHttpServer(async (request, response) => {
      called().push(await text(request));
      response.setHeader("content-type", "application/json");
      response.end('{"degrees":21}');
    }),
  (tool) => tool.close(),
);

const handler = createRuntimeHandler({
  readSecret: () => Promise.resolve("sk-test"),
  clock: systemClock,
  log: createLog({ level: "silent" }),
});

async function run(
  earlier: Partial<EarlierRun> | undefined,
  { prompt, ...options }: RecordingTurnOptions & { prompt?: Partial<PromptConfig> } = {},
) {
  const config = aRuntimeConfig({
    provider: { baseURL: model().url },
    tools: [aTool({ url: `${tool().url}/weather` })],
    ...(prompt === undefined ? {} : { prompt }),
  });
  const nothing = {
    steps: [],
    usage: undefined,
    said: "",
    unfinished: "",
  };
  const turn = new RecordingTurn(config, {
    content: "How is the weather?",
    ...(earlier === undefined ? {} : { earlier: { ...nothing, ...earlier } }),
    ...options,
  });
  return { turn, result: await handler.run(turn) };
}

function aStep(state: "intended" | "done", content = ""): EarlierStep {
  const call = { id: "c1", name: "get-weather", arguments: { city: "Oslo" } };
  const message = { role: "assistant", turnId: "t", content, toolCalls: [call] } as const;
  const outcome = {
    role: "tool",
    turnId: "t",
    toolCallId: "c1",
    toolName: "get-weather",
    result: { degrees: 7 },
  } as const;
  return {
    message: { ...message, toolCalls: [call] },
    calls: [
      {
        id: "c1",
        name: "get-weather",
        input: '{"city":"Oslo"}',
        isStarted: state === "done",
        outcome: state === "done" ? outcome : undefined,
      },
    ],
    finishReason: undefined,
  };
}

describe("a turn that goes on", () => {
  it("asks the model with the results that are there, and calls nothing again", async () => {
    model().mock.on(
      { hasToolResult: true },
      { content: "It is 7 degrees.", usage: { prompt_tokens: 10, completion_tokens: 3 } },
    );
    const { turn, result } = await run({
      steps: [aStep("done", "Let me see.")],
      said: "Let me see.",
      usage: { input_tokens: 5, output_tokens: 2 },
    });
    expect(called()).toEqual([]);
    expect(new Set(turn.events.map(({ type }) => type))).toEqual(new Set(["chunk"]));
    expect(turn.text).toBe("\n\nIt is 7 degrees.");
    expect(result).toEqual({
      finishReason: "stop",
      usage: { input_tokens: 15, output_tokens: 5 },
    });
    expect(model().requests.at(-1)?.body.messages.slice(2)).toMatchObject([
      { role: "assistant", content: "Let me see.", tool_calls: [{ id: "c1" }] },
      { role: "tool", tool_call_id: "c1", content: '{"degrees":7}' },
    ]);
    expect(turn.recorded.map(({ role }) => role)).toEqual(["assistant"]);
  });

  it("makes the calls that were intended and not begun", async () => {
    model().mock.on({ hasToolResult: true }, { content: "It is 21 degrees." });
    const { turn } = await run({ steps: [aStep("intended")] });
    expect(called()).toEqual(['{"city":"Oslo"}']);
    expect(turn.events.slice(0, 2).map(({ type }) => type)).toEqual(["tool-call", "tool-result"]);
    expect(turn.recorded.map(({ role }) => role)).toEqual(["tool", "assistant"]);
  });

  it("tells the model what was said, and sends only what is new of an answer that begins again", async () => {
    model().mock.onMessage(/weather/, { content: "It is sunny in Oslo." });
    const { turn } = await run({ said: "It is sun", unfinished: "It is sun" });
    expect(turn.text).toBe("ny in Oslo.");
    expect(turn.recorded).toMatchObject([{ role: "assistant", content: "It is sunny in Oslo." }]);
    const messages = model().requests.at(-1)?.body.messages;
    expect(messages[0].content).toMatch(/^You are terse\.\n\n.*<said>It is sun<\/said>$/s);
    expect(messages.slice(1)).toEqual([{ role: "user", content: "How is the weather?" }]);
  });

  it("counts the rounds of before", async () => {
    model().mock.on(
      { predicate: (request) => request.tool_choice === "none" },
      { content: "That is all I know." },
    );
    model().mock.onMessage(/./, {
      toolCalls: [{ id: "c2", name: "get-weather", arguments: '{"city":"Rome"}' }],
    });
    const { turn, result } = await run({ steps: [aStep("done")] }, { prompt: { maxRounds: 1 } });
    expect(result.finishReason).toBe("tool_limit");
    expect(turn.text).toBe("That is all I know.");
    expect(called()).toEqual([]);
  });

  it("gives a call another id than those of the calls before", async () => {
    const answers = [
      { toolCalls: [{ id: "c1", name: "get-weather", arguments: '{"city":"Oslo"}' }] },
      { content: "Still 21 degrees." },
    ];
    model().mock.onMessage(/./, () => answers.shift() ?? { content: "" });
    const { turn, result } = await run({ steps: [aStep("done")] });
    expect(called()).toEqual(['{"city":"Oslo"}']);
    expect(turn.events.slice(0, 2)).toMatchObject([
      { type: "tool-call", id: "c1-2" },
      { type: "tool-result", id: "c1-2" },
    ]);
    expect(result.finishReason).toBe("stop");
  });

  it("whose answer was complete only ends", async () => {
    const message = { role: "assistant", turnId: "t", content: "Sunny." } as const;
    const { turn, result } = await run({
      steps: [{ message, calls: [], finishReason: "length" }],
      said: "Sunny.",
    });
    expect(result).toEqual({ finishReason: "length" });
    expect(turn.events).toEqual([]);
    expect(model().requests).toEqual([]);
  });
});

describe("a call", () => {
  it("is not made before it is stored that it was begun, nor its result told to the model before that is stored", async () => {
    model().mock.on(
      { hasToolResult: false },
      { toolCalls: [{ id: "c1", name: "get-weather", arguments: '{"city":"Oslo"}' }] },
    );
    model().mock.on({ hasToolResult: true }, { content: "It is 21 degrees." });
    const seen: string[] = [];
    await run(undefined, {
      onEvent: ({ type }) => void seen.push(type),
      onStored: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        seen.push(`stored, ${called().length} called, ${model().requests.length} asked`);
      },
    });
    expect(seen.slice(0, 4)).toEqual([
      "tool-call",
      "stored, 0 called, 1 asked",
      "tool-result",
      "stored, 1 called, 1 asked",
    ]);
  });

  it("is not made when that could not be stored", async () => {
    model().mock.onMessage(/weather/, {
      toolCalls: [{ id: "c1", name: "get-weather", arguments: '{"city":"Oslo"}' }],
    });
    const lost = new Error("not stored");
    await expect(run(undefined, { onStored: () => Promise.reject(lost) })).rejects.toBe(lost);
    expect(called()).toEqual([]);
  });
});
