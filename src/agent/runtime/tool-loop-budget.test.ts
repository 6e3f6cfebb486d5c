import { describe, expect, it, onTestFinished } from "vitest";
import { startHttpServer } from "../../../test/support/processes/http-server.ts";
import { startModelServer } from "../../../test/support/agent/model-server.ts";
import { RecordingTurn } from "../../../test/support/agent/recording-turn.ts";
import { aRuntimeConfig, aTool } from "../../../test/support/builders/agent-config.ts";
import { rejectionOf } from "../../../test/support/builders/rejection-of.ts";
import type { PromptConfig, ProviderConfig } from "../../agent-config/agent-config.ts";
import { createLog } from "../../observability/log.ts";
import { createMetrics } from "../../observability/metrics.ts";
import { systemClock } from "../../time/clock.ts";
import { createAgentMetrics } from "../contracts/agent-metrics.ts";
import { TokenBudget } from "../contracts/token-budget.ts";
import { createRuntimeHandler } from "./runtime-handler.ts";

const usage = { prompt_tokens: 10, completion_tokens: 3 };
const call = { name: "get-weather", arguments: '{"city":"Oslo"}' };

/** The runtime handler with a model that calls a tool and then answers, and that counts 13 tokens for each of both. */
async function aTurnWithBudget() {
  const model = await startModelServer();
  onTestFinished(() => model.close());
  model.mock.on({ hasToolResult: false }, { content: "Let me see.", toolCalls: [call], usage });
  model.mock.on({ hasToolResult: true }, { content: "Sunny.", usage });
  let calls = 0;
  const tools = await startHttpServer((_request, response) => {
    calls += 1;
    response.setHeader("content-type", "application/json").end("{}");
  });
  onTestFinished(() => tools.close());
  const metrics = createMetrics({ processMetrics: false });
  const gauges = { connectionsActive: () => 0, sessionsActive: () => 0, requestsInflight: () => 0 };
  const handler = createRuntimeHandler({
    readSecret: () => Promise.resolve("sk-test"),
    clock: systemClock,
    log: createLog({ level: "silent" }),
    metrics: createAgentMetrics(metrics, gauges),
  });
  function aTurn(
    limit: number | undefined,
    more: { provider?: Partial<ProviderConfig>; prompt?: Partial<PromptConfig> } = {},
  ) {
    const config = aRuntimeConfig({
      provider: { baseURL: model.url, ...more.provider },
      prompt: more.prompt ?? {},
      tools: [aTool({ url: `${tools.url}/weather` })],
    });
    const limits = limit === undefined ? [] : [{ budget: "turn" as const, limit, spentBefore: 0 }];
    const budget = new TokenBudget(limits, () => 0);
    return new RecordingTurn(config, { budget });
  }
  return { model, handler, aTurn, metrics, toolCalls: () => calls };
}

describe("a turn with a budget of tokens", () => {
  it("ends as it would without one where the budget suffices", async () => {
    const { handler, aTurn } = await aTurnWithBudget();
    const turn = aTurn(26);
    expect(await handler.run(turn)).toMatchObject({
      finishReason: "stop",
      usage: { input_tokens: 20, output_tokens: 6 },
    });
    expect(turn.budget?.used).toBe(26);
  });

  it("makes the calls of its last step, and asks the model no more", async () => {
    const { handler, aTurn, model, toolCalls } = await aTurnWithBudget();
    const turn = aTurn(13);
    expect(await rejectionOf(handler.run(turn))).toMatchObject({
      code: "UNAVAILABLE",
      details: { budget: "turn", limit: 13, spent: 13 },
    });
    expect(model.requests).toHaveLength(1);
    expect(toolCalls()).toBe(1);
    expect(turn.text).toBe("Let me see.");
    expect(turn.recorded.map(({ role }) => role)).toEqual(["assistant", "tool"]);
  });

  it("asks for no longer an answer than is left", async () => {
    const { handler, aTurn, model } = await aTurnWithBudget();
    await handler.run(aTurn(1_000, { provider: { parameters: { maxTokens: 990 } } }));
    const asked = model.requests.map(({ body }) => body.max_tokens ?? body.max_completion_tokens);
    expect(asked).toEqual([990, 987]);
  });

  it("leaves the length of an answer open where none is asked for and much is left", async () => {
    const { handler, aTurn, model } = await aTurnWithBudget();
    await handler.run(aTurn(100_000));
    const { body } = model.requests[0] ?? {};
    expect(body).not.toHaveProperty("max_tokens");
    expect(body).not.toHaveProperty("max_completion_tokens");
  });

  it("ends in an error when the budget has cut its answer off, which is kept", async () => {
    const { handler, aTurn, model } = await aTurnWithBudget();
    model.mock.reset();
    model.mock.onMessage("hello", { content: "Once upon", finishReason: "length", usage });
    const turn = aTurn(13);
    expect(await rejectionOf(handler.run(turn))).toMatchObject({
      code: "UNAVAILABLE",
      details: { budget: "turn" },
    });
    expect(turn.recorded).toMatchObject([{ role: "assistant", content: "Once upon" }]);
  });

  it("goes on after what another replica has used only if that leaves something", async () => {
    const { handler, aTurn, model } = await aTurnWithBudget();
    const turn = aTurn(13);
    turn.budget?.use({ input_tokens: 13, output_tokens: 0 });
    expect(await rejectionOf(handler.run(turn))).toMatchObject({ code: "UNAVAILABLE" });
    expect(model.requests).toHaveLength(0);
  });
});

describe("a turn whose provider has prices", () => {
  it("tells what its steps cost, and counts it", async () => {
    const { handler, aTurn, metrics } = await aTurnWithBudget();
    const prices = { inputPerMillionTokens: 2.5, outputPerMillionTokens: 10, currency: "EUR" };
    const turn = aTurn(undefined, { provider: { prices } });
    const { usage: used } = await handler.run(turn);
    expect(used).toEqual({
      input_tokens: 20,
      output_tokens: 6,
      cost: { amount: 0.000_11, currency: "EUR" },
    });
    expect(turn.notes.map((note) => note?.usage?.cost?.amount)).toEqual([
      0.000_055,
      undefined,
      0.000_055,
    ]);
    expect(await metrics.text()).toContain(
      'omnia_agent_provider_cost_total{provider="openai",model="gpt-4o",currency="EUR"} 0.00011',
    );
  });
});
