/** The prompts of any history, as the providers' packages send them, by the rules of each provider. */
import { buffer } from "node:stream/consumers";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { aRuntimeConfig } from "../../../../test/support/builders/agent-config.ts";
import { startHttpServer } from "../../../../test/support/processes/http-server.ts";
import { problemsOfRequest } from "../../../../test/support/wire/request-rules.ts";
import type { ProviderConfig } from "../../../agent-config/agent-config.ts";
import { createLog } from "../../../observability/log.ts";
import { systemClock } from "../../../time/clock.ts";
import type { HistoryMessage } from "../../sessions/history-message.ts";
import { createModelConnections } from "./model-connection.ts";
import { toPrompt, type AnswerParts } from "./prompt.ts";

const RUNS = 60;

const APIS = [
  ["chat", { name: "openai", model: "gpt-4o", api: "chat" }],
  ["responses", { name: "openai", model: "gpt-4o", api: "responses" }],
  ["anthropic", { name: "anthropic", model: "claude-sonnet-4-5" }],
  ["google", { name: "google", model: "gemini-3-flash-preview" }],
] as const;

const long = "x".repeat(60);
const ids = fc.constantFrom("call_0", "call_0-2", "", "a.b", "a:b", "a_b", `${long}1`, `${long}2`);
const texts = fc.oneof(fc.constantFrom("", " ", "\n"), fc.string({ unit: "grapheme" }));
const turnId = "turn-1";

const calls = fc.record({
  id: ids,
  name: fc.constantFrom("weather", "get-time"),
  arguments: fc.dictionary(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), {
    maxKeys: 3,
  }),
});

function answersBy(source: { name: ProviderConfig["name"]; model: string }) {
  const signed = { [source.name]: { thoughtSignature: "s", signature: "s", itemId: "rs_1" } };
  const parts = fc.array(
    fc.oneof(
      fc.record({ type: fc.constant("text" as const), length: fc.nat(8) }),
      fc.record({
        type: fc.constant("reasoning" as const),
        text: texts,
        options: fc.constant(signed),
      }),
      fc.record({ type: fc.constant("tool-call" as const), id: ids }),
      fc.record({ type: fc.constant("tool-call" as const), id: ids, serverId: ids }),
    ),
    { maxLength: 5 },
  );
  return fc.record({
    provider: fc.constantFrom(source.name, "openai"),
    model: fc.constantFrom(source.model, "another"),
    parts,
  }) satisfies fc.Arbitrary<AnswerParts>;
}

/** Messages in any order, also in one that no turn leaves behind. */
function histories(source: { name: ProviderConfig["name"]; model: string }) {
  const messages: fc.Arbitrary<HistoryMessage> = fc.oneof(
    fc.record({ role: fc.constant("user" as const), turnId: fc.constant(turnId), content: texts }),
    fc.record(
      {
        role: fc.constant("assistant" as const),
        turnId: fc.constant(turnId),
        content: texts,
        toolCalls: fc.array(calls, { minLength: 1, maxLength: 4 }),
        providerMetadata: answersBy(source),
        partial: fc.constant(true),
      },
      { requiredKeys: ["role", "turnId", "content"] },
    ),
    fc.record({
      role: fc.constant("tool" as const),
      turnId: fc.constant(turnId),
      toolCallId: ids,
      toolName: fc.constant("weather"),
      result: fc.jsonValue({ stringUnit: "grapheme" }),
    }),
    fc.record({
      role: fc.constant("tool" as const),
      turnId: fc.constant(turnId),
      toolCallId: ids,
      toolName: fc.constant("weather"),
      error: texts,
    }),
  );
  return fc.array(messages, { maxLength: 12 });
}

describe.each(APIS)("the prompt of any history, for %s", (api, provider) => {
  it("is one that the provider takes", async () => {
    const bodies: Buffer[] = [];
    const server = await startHttpServer(async (request, response) => {
      bodies.push(await buffer(request));
      response.writeHead(400, { "content-type": "application/json" });
      response.end("{}");
    });
    onTestFinished(() => server.close());
    const connections = createModelConnections({
      readSecret: () => Promise.resolve("sk-test"),
      clock: systemClock,
      log: createLog({ level: "silent" }),
    });
    const { provider: config } = aRuntimeConfig({ provider: { ...provider, baseURL: server.url } });
    if (config === undefined) throw new Error("there is no provider");
    const { model, callOptions } = await connections.connect(config);

    async function bodyOf(history: HistoryMessage[], offersTools: boolean): Promise<Buffer> {
      const last = { role: "user", turnId, content: "And now?" } as const;
      const source = { provider: provider.name, model: provider.model, offersTools };
      const prompt = toPrompt("Be terse.", [...history, last], source);
      await expect(model.doStream({ ...callOptions, prompt })).rejects.toMatchObject({
        statusCode: 400,
      });
      return bodies.pop() as Buffer;
    }

    await fc.assert(
      fc.asyncProperty(histories(provider), fc.boolean(), async (history, offersTools) => {
        expect(problemsOfRequest(api, await bodyOf(history, offersTools))).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });
});
