/** An agent that is asked for more than it bears. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { agentConfigSchema, type LimitsConfig } from "../../../src/agent-config/agent-config.ts";
import { DEFAULT_LIMITS } from "../../../src/agent/contracts/limits.ts";
import { ManualClock } from "../../support/builders/manual-clock.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { anAgentConfig } from "../../support/builders/agent-config.ts";

/** A demo agent takes its time; on its clock that is none until a test says so. */
async function anAgent(limits: LimitsConfig) {
  const clock = new ManualClock();
  const agent = await TestAgent.start({ clock, config: { handler: "demo", limits }, env: {} });
  return { agent, clock };
}

describe("connections", () => {
  it("over the limit are refused with 503 and Retry-After before the upgrade, and counted", async () => {
    const agent = await TestAgent.start({ config: { limits: { maxConnections: 2 } } });
    const first = await agent.connect();
    await agent.connect();
    const refusal = new Promise<{ statusCode?: number; headers: Record<string, unknown> }>(
      (resolve) => {
        void agent
          .connect("/", {
            finishRequest: (request) => {
              request.on("response", resolve);
              request.end();
            },
          })
          .catch(() => {});
      },
    );
    expect(await refusal).toMatchObject({
      statusCode: 503,
      headers: { "retry-after": expect.stringMatching(/^\d+$/) },
    });
    const reason = { reason: "TooManyConnections" };
    expect(await agent.metric("omnia_agent_connections_refused_total", reason)).toBe(1);
    first.socket.close();
    await first.closed;
    await expect.poll(() => agent.metric("omnia_agent_connections_active")).toBe(1);
    await agent.connect();
  });

  it("may be more as soon as the config says so", async () => {
    const agent = await TestAgent.start({ config: { limits: { maxConnections: 1 } } });
    await agent.connect();
    await expect(agent.connect()).rejects.toThrow("503");
    await agent.writeConfig({ limits: { maxConnections: 2 } });
    const limit = { limit: "maxConnections" };
    await expect.poll(() => agent.metric("omnia_agent_limit", limit)).toBe(2);
    await agent.connect();
  });

  it("that come all at once are no more than the limit", async () => {
    const agent = await TestAgent.start({
      config: {
        limits: { maxConnections: 5 },
        facade: { port: 0, auth: { apiKeysFolder: "keys" } },
      },
      files: { "keys/web": "key" },
    });
    const headers = { "x-api-key": "key" };
    const connecting = Array.from({ length: 20 }, () => agent.connect("/", { headers }));
    const outcomes = await Promise.allSettled(connecting);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(5);
  });
});

describe("turns", () => {
  it("over the number that run wait for their turn, and are refused when too many wait", async () => {
    const { agent, clock } = await anAgent({ maxTurnsInFlight: 1, maxQueuedTurns: 1 });
    const [running, waiting, refused] = [
      await agent.connect(),
      await agent.connect(),
      await agent.connect(),
    ];
    running.say("hello");
    await expect.poll(() => agent.metric("omnia_agent_requests_inflight")).toBe(1);
    waiting.say("hello");
    await expect.poll(() => agent.metric("omnia_agent_requests_queued")).toBe(1);
    refused.say("hello");
    expect(await refused.nextOf("error")).toMatchObject({
      error: { code: "UNAVAILABLE", details: { retry_after: expect.any(Number) } },
    });
    expect(await agent.metric("omnia_agent_requests_refused_total", { reason: "queue_full" })).toBe(
      1,
    );
    for (let step = 0; step < 100; step++) await clock.advance(100);
    expect(await running.nextOf("done")).toMatchObject({ finish_reason: "stop" });
    expect(await waiting.nextOf("done")).toMatchObject({ finish_reason: "stop" });
  });

  it("do not wait for ever", async () => {
    const { agent, clock } = await anAgent({ maxTurnsInFlight: 1, maxQueueMs: 100 });
    const [running, waiting] = [await agent.connect(), await agent.connect()];
    running.say("hello");
    await expect.poll(() => agent.metric("omnia_agent_requests_inflight")).toBe(1);
    waiting.say("hello");
    await expect.poll(() => agent.metric("omnia_agent_requests_queued")).toBe(1);
    await clock.advance(100);
    expect(await waiting.nextOf("error")).toMatchObject({ error: { code: "UNAVAILABLE" } });
  });

  it("that wait can be cancelled, and end like any other that is", async () => {
    const { agent } = await anAgent({ maxTurnsInFlight: 1 });
    const [running, waiting] = [await agent.connect(), await agent.connect()];
    running.say("hello");
    await expect.poll(() => agent.metric("omnia_agent_requests_inflight")).toBe(1);
    waiting.say("hello");
    await expect.poll(() => agent.metric("omnia_agent_requests_queued")).toBe(1);
    waiting.send({ type: "cancel" });
    expect(await waiting.nextOf("done")).toMatchObject({ finish_reason: "cancelled", content: "" });
  });
});

describe("frames", () => {
  it("that are sent without waiting for an answer are limited, also where each begins a turn", async () => {
    const agent = await TestAgent.start({
      clock: new ManualClock(),
      config: { limits: { messageBurst: 10, messagesPerSecond: 1 } },
    });
    const client = await agent.connect();
    for (let count = 0; count < 50; count++) client.say("more");
    await expect.poll(() => client.frames.length).toBe(51);
    const limited = client.frames.filter(
      (frame) => frame.type === "error" && frame.error.code === "RATE_LIMITED",
    );
    // The first one found nothing awaited.
    expect(limited).toHaveLength(39);
    expect(await agent.metric("omnia_agent_messages_rate_limited_total")).toBe(39);
  });
});

describe("the limits", () => {
  it("are all in the metrics, by their names in the config", async () => {
    const agent = await TestAgent.start();
    for (const [limit, value] of Object.entries(DEFAULT_LIMITS)) {
      expect(await agent.metric("omnia_agent_limit", { limit })).toBe(value);
    }
  });

  it("are all in docs/limits.md, as they are", async () => {
    const page = await readFile(join(import.meta.dirname, "../../../docs/limits.md"), "utf8");
    const rows = [...page.matchAll(/^\| `(\w+)` \| (\d+) \| ([\d.]+), (\d+) \|/gm)];
    const told = rows.map(([, name, value]) => [name, Number(value)]);
    expect(Object.fromEntries(told)).toEqual(DEFAULT_LIMITS);
    const config = (name: string, value: number) => anAgentConfig({ limits: { [name]: value } });
    for (const [, name = "", , from, to] of rows) {
      for (const [value, expected] of [
        [Number(from), true],
        [Number(to), true],
        [Number(from) - 1, false],
        [Number(to) + 1, false],
      ] as const) {
        expect(agentConfigSchema.safeParse(config(name, value)).success).toBe(expected);
      }
    }
  });
});
