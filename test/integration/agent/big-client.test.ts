/** One client that sends as much as it can, beside others who send little. */
import { describe, expect, it, vi } from "vitest";
import type { AgentConfig } from "../../../src/agent-config/agent-config.ts";
import type { ChatClient } from "../../support/agent/chat-client.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { RedisProbe } from "../../support/redis/redis-sessions.ts";
import { startRedis } from "../../support/redis/redis.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";

const MEBIBYTE = 1024 * 1024;
const SMALL_CLIENTS = 30;
const BIG_MESSAGES = 150;
const BIG_TEXT = "x".repeat(500_000);

const redis = forAllTests(
  () => startRedis(),
  (redis) => redis[Symbol.asyncDispose](),
);
const probe = forAllTests(
  () => new RedisProbe(redis().url),
  (probe) => probe.close(),
);

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const auth = { apiKeysFolder: "secrets/keys" };

function anAgent(config: Partial<AgentConfig>): Promise<TestAgent> {
  const names = ["big", ...Array.from({ length: SMALL_CLIENTS }, (_, at) => `small-${at}`)];
  const keys = Object.fromEntries(names.map((name) => [`secrets/keys/${name}`, `key-of-${name}`]));
  return TestAgent.start({
    config,
    files: { "secrets/session-store/url": redis().url, ...keys },
  });
}

async function smallSessions(agent: TestAgent): Promise<string[]> {
  const sessionIds: string[] = [];
  for (let at = 0; at < SMALL_CLIENTS; at++) {
    const client = await agent.connect("/", bearer(`key-of-small-${at}`));
    sessionIds.push((await client.ask("hello")).session_id);
    client.socket.close();
  }
  return sessionIds;
}

async function expectResumed(agent: TestAgent, sessionIds: readonly string[]): Promise<void> {
  for (const [at, sessionId] of sessionIds.entries()) {
    const path = `/?session_id=${sessionId}`;
    const client = await agent.connect(path, bearer(`key-of-small-${at}`));
    expect(await client.next()).toMatchObject({ type: "connected", resumed: true, seq: 1 });
    client.socket.close();
  }
}

/** Each message in a session of its own: the one that it names is unknown. */
async function sendMuch(client: ChatClient): Promise<void> {
  for (let at = 0; at < BIG_MESSAGES; at++) {
    client.send({ type: "message", session_id: `unknown-${at}`, content: BIG_TEXT });
    await client.nextOf("done");
  }
}

describe("a client that sends 150 messages of 500 KB", () => {
  const memory = { type: "memory", ttlMs: 3_600_000 } as const;

  it.each([
    ["who have keys of their own", { port: 0, auth }],
    ["who have the same address", { port: 0 }],
  ])("takes no session from others, %s", async (_, facade) => {
    const agent = await anAgent({ session: memory, facade });
    const sessionIds = await smallSessions(agent);
    await sendMuch(await agent.connect("/", bearer("key-of-big")));
    await expectResumed(agent, sessionIds);
  });

  it("takes none from others either when it keeps to one session", async () => {
    const agent = await anAgent({ session: memory, facade: { port: 0, auth } });
    const sessionIds = await smallSessions(agent);
    const big = await agent.connect("/", bearer("key-of-big"));
    for (let at = 0; at < BIG_MESSAGES; at++) await big.ask(BIG_TEXT);
    await expectResumed(agent, sessionIds);
  });

  it("gets no more of Redis than one client may have", async () => {
    const agent = await anAgent({
      session: { type: "redis", ttlMs: 3_600_000, storeURLFile: "secrets/session-store/url" },
      facade: { port: 0, auth },
      limits: { maxSessionBytesPerClient: 16 * MEBIBYTE },
    });
    const used = async (): Promise<number> => {
      const info = (await probe().command("INFO", "memory")) as string;
      return Number(/used_memory_dataset:(\d+)/.exec(info)?.[1]);
    };
    const before = await used();
    const sessionIds = await smallSessions(agent);
    await sendMuch(await agent.connect("/", bearer("key-of-big")));
    await vi.waitFor(async () => expect((await used()) - before).toBeLessThan(32 * MEBIBYTE));
    expect((await used()) - before).toBeGreaterThan(8 * MEBIBYTE);
    await expectResumed(agent, sessionIds);
    expect(JSON.stringify(agent.logged)).toContain("more of the session store than one client may");
  });
});
