/** Budgets of tokens and costs, with replicas that share a Redis, against a third party's model server. */
import { describe, expect, it } from "vitest";
import type { AgentConfig, BudgetConfig, Prices } from "../../../src/agent-config/agent-config.ts";
import { startModelServer } from "../../support/agent/model-server.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { aRuntimeConfig } from "../../support/builders/agent-config.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import { startRedis } from "../../support/redis/redis.ts";

const redis = forAllTests(
  () => startRedis(),
  (redis) => redis[Symbol.asyncDispose](),
);
const model = forAllTests(
  async () => {
    const server = await startModelServer();
    const usage = { prompt_tokens: 30, completion_tokens: 12 };
    server.mock.onMessage(/.*/, { content: "Well.", usage });
    return server;
  },
  (server) => server.close(),
);

const IN_REDIS = {
  type: "redis",
  ttlMs: 3_600_000,
  storeURLFile: "secrets/session-store/url",
} as const;
const IN_MEMORY = { type: "memory", ttlMs: 3_600_000 } as const;

let agents = 0;

/** Starts replicas of one agent, each of whose turns uses 42 tokens. */
function anAgent(
  budget: BudgetConfig,
  { session = IN_REDIS, prices }: { session?: AgentConfig["session"]; prices?: Prices } = {},
) {
  const agent = { name: `agent-${++agents}`, namespace: "budgets" };
  const config = {
    ...aRuntimeConfig({ provider: { baseURL: model().url, prices } }),
    agent,
    budget,
    session,
  };
  return () =>
    TestAgent.start({
      files: { "secrets/session-store/url": `${redis().url}\n`, "provider/api-key": "sk-test" },
      config,
    });
}

describe("the budget of a day", () => {
  it("is one for all replicas and sessions", async () => {
    const start = anAgent({ maxTokensPerDay: 80 });
    const [one, two] = [await start(), await start()];
    const first = await one.connect();
    const other = await two.connect();
    await first.ask("a");
    await other.ask("b");
    for (const client of [first, other]) {
      client.say("c");
      expect(await client.nextOf("error")).toMatchObject({
        error: {
          code: "UNAVAILABLE",
          message: expect.stringContaining("84 of 80 tokens") as string,
          details: {
            budget: "day",
            limit: 80,
            spent: 84,
            retry_after: expect.any(Number) as number,
          },
        },
      });
    }
    const day = { budget: "day" };
    expect(await two.metric("omnia_agent_budget_limit_tokens", day)).toBe(80);
    expect(await two.metric("omnia_agent_budget_spent_tokens", day)).toBe(84);
    const refused = { reason: "budget_spent" };
    expect(await two.metric("omnia_agent_requests_refused_total", refused)).toBe(1);
  });

  it("tells of a turn that was taken before, though it is spent", async () => {
    const agent = await anAgent({ maxTokensPerDay: 10 })();
    const client = await agent.connect();
    const done = await client.ask("a", { id: "m-1" });
    client.say("a", { id: "m-1", session_id: done.session_id });
    expect(await client.nextOf("done")).toEqual(done);
  });

  it("is one for each replica where sessions are in memory", async () => {
    const start = anAgent({ maxTokensPerDay: 40 }, { session: IN_MEMORY });
    const [one, two] = [await start(), await start()];
    const [first, other] = [await one.connect(), await two.connect()];
    await first.ask("a");
    await other.ask("b");
    first.say("c");
    expect(await first.nextOf("error")).toMatchObject({ error: { code: "UNAVAILABLE" } });
  });
});

describe.each([
  ["in Redis", IN_REDIS],
  ["in memory", IN_MEMORY],
])("the budget of a session %s", (_where, session) => {
  it("is spent by its turns, and leaves other sessions theirs", async () => {
    const agent = await anAgent({ maxTokensPerSession: 43 }, { session })();
    const client = await agent.connect();
    const { session_id } = await client.ask("a");
    await client.ask("b", { session_id });
    client.say("c", { session_id });
    const { error } = await client.nextOf("error");
    expect(error).toMatchObject({ code: "UNAVAILABLE" });
    expect(error.details).toEqual({ budget: "session", limit: 43, spent: 84 });
    expect(await (await agent.connect()).ask("a")).toMatchObject({ content: "Well." });
  });
});

describe("an agent whose provider has prices", () => {
  it("tells what a turn costs", async () => {
    const prices = { inputPerMillionTokens: 100, outputPerMillionTokens: 1_000, currency: "USD" };
    const agent = await anAgent({}, { prices })();
    const { usage } = await (await agent.connect()).ask("a");
    expect(usage).toEqual({
      input_tokens: 30,
      output_tokens: 12,
      cost: { amount: 0.015, currency: "USD" },
    });
    const dollars = { currency: "USD" };
    expect(await agent.metric("omnia_agent_provider_cost_total", dollars)).toBe(0.015);
  });
});
