/** Turns whose prompt has validators, with a model server. */
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { startHttpServer } from "../../../../test/support/processes/http-server.ts";
import { startModelServer } from "../../../../test/support/agent/model-server.ts";
import {
  RecordingTurn,
  type RecordingTurnOptions,
} from "../../../../test/support/agent/recording-turn.ts";
import { aRuntimeConfig, aTool } from "../../../../test/support/builders/agent-config.ts";
import { forEachTest } from "../../../../test/support/builders/fixtures.ts";
import { rejectionOf } from "../../../../test/support/builders/rejection-of.ts";
import type { PackValidator } from "../../../promptpack/document/validators.ts";
import { readValidator } from "../../../promptpack/validators/read-validator.ts";
import type { ValidatorConfig } from "../../../promptpack/validators/validator-config.ts";
import { createLog } from "../../../observability/log.ts";
import { systemClock } from "../../../time/clock.ts";
import { TurnError } from "../../contracts/turn-error.ts";
import { createRuntimeHandler } from "../runtime-handler.ts";

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
const counted = forEachTest<string[]>(() => []);

const ignored = { add: () => {} };
const handler = createRuntimeHandler({
  readSecret: () => Promise.resolve("sk-test"),
  clock: systemClock,
  log: createLog({ level: "silent" }),
  metrics: {
    toolCallsTotal: ignored,
    providerTokensTotal: ignored,
    providerCostTotal: ignored,
    validationsTotal: {
      add: (_, { validator, outcome }) => void counted().push(`${validator} ${outcome}`),
    },
  },
});

type Given = Partial<PackValidator> & Pick<PackValidator, "type">;

function configs(validators: readonly Given[]): ValidatorConfig[] {
  return validators.map((validator) => {
    const read = readValidator({ fail_on_violation: true, ...validator });
    if (!read.ok) throw new Error(read.problem);
    return read.config;
  });
}

function aTurn(validators: readonly Given[], options: RecordingTurnOptions = {}): RecordingTurn {
  const config = aRuntimeConfig({
    provider: { baseURL: model().url },
    tools: [aTool({ url: `${tool().url}/weather` })],
    prompt: { validators: configs(validators) },
  });
  return new RecordingTurn(config, { content: "How is the weather?", ...options });
}

async function refused(turn: RecordingTurn): Promise<TurnError> {
  const error = await rejectionOf(handler.run(turn));
  if (!(error instanceof TurnError)) throw error;
  return error;
}

const BANNED: Given = { type: "banned_words", params: { words: ["offensive"] } };

describe("an answer with a banned word", () => {
  it.each([1, 2, 3, 5, 7, 100])(
    "ends its turn, and nothing of the word is said or kept, in pieces of %i characters",
    async (chunkSize) => {
      model().mock.onMessage(/weather/, { content: "It is an OFFENSIVE sky." }, { chunkSize });
      const turn = aTurn([BANNED]);
      const error = await refused(turn);
      expect(error).toMatchObject({
        code: "VALIDATION_FAILED",
        details: { validator: "banned_words" },
      });
      expect("It is an ".startsWith(turn.text)).toBe(true);
      const kept = JSON.stringify([turn.events, turn.recorded, error.message]);
      expect(kept).not.toMatch(/off/i);
      expect(counted()).toEqual(["banned_words refused"]);
    },
  );

  it("is said with a warning where the rule does not refuse it", async () => {
    model().mock.onMessage(/weather/, { content: "It is an offensive sky." });
    const turn = aTurn([{ ...BANNED, fail_on_violation: false, message: "Mind your words." }]);
    const result = await handler.run(turn);
    expect(turn.text).toBe("It is an offensive sky.");
    expect(result.warnings).toEqual([{ validator: "banned_words", message: "Mind your words." }]);
    expect(counted()).toEqual(["banned_words warned"]);
  });

  it("says what the pack says to the client in place of the usual words", async () => {
    model().mock.onMessage(/weather/, { content: "offensive" });
    const error = await refused(aTurn([{ ...BANNED, message: "I cannot say that." }]));
    expect(error.message).toBe("I cannot say that.");
  });

  it("runs none of the calls of its step", async () => {
    model().mock.on(
      {},
      { content: "offensive", toolCalls: [{ name: "get-weather", arguments: '{"city":"Oslo"}' }] },
    );
    expect((await refused(aTurn([BANNED]))).code).toBe("VALIDATION_FAILED");
    expect(called()).toEqual([]);
  });

  it("is asked for again, and the model is told why", async () => {
    let asked = 0;
    model().mock.on({ predicate: () => (asked += 1) === 1 }, { content: "An offensive sky." });
    model().mock.on({}, { content: "A blue sky." });
    const turn = aTurn([{ ...BANNED, params: { words: ["offensive"], retry: 1 } }]);
    const result = await handler.run(turn);
    expect(result.finishReason).toBe("stop");
    expect(turn.text).toBe("A blue sky.");
    expect(turn.recorded).toMatchObject([{ role: "assistant", content: "A blue sky." }]);
    const again = JSON.stringify(model().requests.at(-1)?.body);
    expect(again).toContain('breaks the rule \\"banned_words\\"');
    expect(again).not.toContain("An offensive sky");
    expect(counted()).toEqual(["banned_words retried", "banned_words passed"]);
  });

  it("ends the turn when it was asked for as often as the pack says", async () => {
    model().mock.on({}, { content: "An offensive sky." });
    const turn = aTurn([{ ...BANNED, params: { words: ["offensive"], retry: 2 } }]);
    expect((await refused(turn)).code).toBe("VALIDATION_FAILED");
    expect(model().requests).toHaveLength(3);
    expect(turn.text).toBe("");
  });
});

describe("an answer that is judged as a whole", () => {
  it.each<[Given, string]>([
    [{ type: "max_length", params: { max_characters: 5 } }, "It is blue."],
    [{ type: "min_length", params: { min_characters: 50 } }, "It is blue."],
    [{ type: "max_sentences", params: { max_sentences: 1 } }, "It is blue. Really."],
    [{ type: "regex_match", params: { pattern: "^It rains" } }, "It is blue."],
    [{ type: "required_fields", params: { fields: ["sky"] } }, '{"sea":"blue"}'],
    [{ type: "json_schema", params: { schema: { type: "object" } } }, "It is blue."],
  ])("is not said at all when %j refuses it", async (validator, content) => {
    model().mock.onMessage(/weather/, { content }, { chunkSize: 3 });
    const turn = aTurn([validator]);
    const { details } = await refused(turn);
    expect(details).toEqual({ validator: validator.type });
    expect(turn.text).toBe("");
    expect(turn.recorded).toEqual([]);
  });

  it("is said at its end when it keeps the rule", async () => {
    model().mock.onMessage(/weather/, { content: '{"sky":"blue"}' }, { chunkSize: 3 });
    const turn = aTurn([{ type: "required_fields", params: { fields: ["sky"] } }]);
    await handler.run(turn);
    expect(turn.events.filter(({ type }) => type === "chunk")).toContainEqual({
      type: "chunk",
      content: '{"sky":"blue"}',
    });
    expect(turn.text).toBe('{"sky":"blue"}');
  });

  it("needs its form only after the last call", async () => {
    model().mock.on(
      { hasToolResult: false },
      {
        content: "Let me look.",
        toolCalls: [{ name: "get-weather", arguments: '{"city":"Oslo"}' }],
      },
    );
    model().mock.on({ hasToolResult: true }, { content: '{"degrees":21}' });
    const turn = aTurn([{ type: "json_schema", params: { schema: { type: "object" } } }]);
    await handler.run(turn);
    expect(turn.text).toBe('Let me look.\n\n{"degrees":21}');
  });

  it("ends its turn when its rule cannot judge it", async () => {
    model().mock.onMessage(/weather/, { content: "a".repeat(60_000) });
    const turn = aTurn([{ type: "regex_match", params: { pattern: "^(?:a?){300}b" } }]);
    expect((await refused(turn)).details).toEqual({ validator: "regex_match" });
  });
});

describe("a message that a rule is for", () => {
  const validator: Given = {
    type: "pii_detection",
    params: { direction: "input", types: ["email"] },
  };

  it("is refused before the model is asked", async () => {
    const turn = aTurn([validator], { content: "I am jane@example.com, how is the weather?" });
    const error = await refused(turn);
    expect(error).toMatchObject({
      code: "VALIDATION_FAILED",
      details: { validator: "pii_detection" },
    });
    expect(error.message).toContain("message was withheld");
    expect(model().requests).toEqual([]);
    expect(turn.recorded).toMatchObject([{ role: "assistant", isMessageRefused: true }]);
  });

  it("is not told to the model by a later turn either", async () => {
    model().mock.onMessage(/weather/, { content: "Blue." });
    const turn = aTurn([validator], {
      history: [
        { role: "user", turnId: "t0", content: "I am jane@example.com" },
        { role: "assistant", turnId: "t0", content: "", isMessageRefused: true },
      ],
    });
    await handler.run(turn);
    expect(JSON.stringify(model().requests)).not.toContain("jane");
  });

  it("is answered with a warning where the rule does not refuse it", async () => {
    model().mock.onMessage(/weather/, { content: "Blue." });
    const turn = aTurn([{ ...validator, fail_on_violation: false }], {
      content: "jane@example.com: the weather?",
    });
    expect((await handler.run(turn)).warnings).toMatchObject([{ validator: "pii_detection" }]);
  });
});
