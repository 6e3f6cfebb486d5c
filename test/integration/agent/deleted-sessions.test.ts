/** What clients are told whose session is deleted while they are in it, on the replica of its turn and on another one. */
import { randomBytes } from "node:crypto";
import { describe, expect, it, onTestFinished } from "vitest";
import { sessionClientOf } from "../../../src/agent/sessions/session-client.ts";
import { newSessionId } from "../../../src/agent/sessions/session-id.ts";
import { anAgentConfig } from "../../support/builders/agent-config.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import { openRedisStore } from "../../support/redis/redis-sessions.ts";
import { startRedis } from "../../support/redis/redis.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { timeFor } from "../../support/processes/busy-machine.ts";

const redis = forAllTests(
  () => startRedis(),
  (server) => server[Symbol.asyncDispose](),
);

const DELETED = { code: "SESSION_NOT_FOUND", message: "The session was deleted." };
const { agent } = anAgentConfig();

function aReplica(handler: "demo" | "echo"): Promise<TestAgent> {
  return TestAgent.start({
    files: { "secrets/session-store/url": redis().url },
    config: {
      handler,
      session: { type: "redis", ttlMs: 3_600_000, storeURLFile: "secrets/session-store/url" },
    },
    // The demo answers at the pace of a person: a turn takes a few seconds.
    env: {},
  });
}

function aStore() {
  const store = openRedisStore(redis().url, { agent });
  onTestFinished(() => store.close());
  return store;
}

describe("a session that is deleted", () => {
  it("ends for all who follow its turn, and their next messages begin new ones", async () => {
    const store = aStore();
    const [one, two] = [await aReplica("demo"), await aReplica("demo")];
    const here = await one.connect();
    const there = await two.connect();
    here.say("hello");
    const { session_id } = await here.nextOf("chunk");
    there.send({ type: "resume", session_id, after: 0 });
    await there.nextOf("chunk");
    expect((await store.list({ limit: 5, state: "running" })).sessions).toMatchObject([
      { id: session_id, title: "hello" },
    ]);
    const before = performance.now();
    expect(await store.delete(session_id)).toBe(true);
    for (const client of [here, there]) {
      expect(await client.nextOf("error")).toMatchObject({ session_id, error: DELETED });
    }
    expect(performance.now() - before).toBeLessThan(timeFor(5_000));
    for (const client of [here, there]) {
      client.say("again");
      const connected = await client.nextOf("connected");
      expect(connected.resumed).toBe(false);
      expect(connected.session_id).not.toBe(session_id);
      expect(await client.nextOf("chunk")).toMatchObject({ session_id: connected.session_id });
    }
  });

  it("is not found by those who name it", async () => {
    const store = aStore();
    const replica = await aReplica("echo");
    const client = await replica.connect();
    const { session_id } = await client.ask("hello");
    await store.delete(session_id);
    const other = await replica.connect(`/?session_id=${session_id}`);
    expect(await other.nextOf("error")).toMatchObject({ error: { code: "SESSION_NOT_FOUND" } });
    other.send({ type: "resume", session_id, after: 0 });
    expect(await other.nextOf("error")).toMatchObject({ error: { code: "SESSION_NOT_FOUND" } });
    client.say("still there?");
    const connected = await client.nextOf("connected");
    expect(connected).toMatchObject({ resumed: false });
    expect(connected.session_id).not.toBe(session_id);
  });
});

describe("a session that was made out of another one", () => {
  it("goes on for its client, and its timeline tells of the turns of both", async () => {
    const store = aStore();
    const replica = await aReplica("echo");
    const client = await replica.connect();
    const { session_id, turn_id } = await client.ask("one");
    await client.ask("two");
    const id = newSessionId(randomBytes);
    const owner = sessionClientOf({ agent, subject: undefined, address: "127.0.0.1" });
    const fork = { newSessionId: id, client: owner, afterTurn: turn_id };
    expect(await store.fork(session_id, fork)).toEqual({ status: "forked" });
    const other = await replica.connect(`/?session_id=${id}`);
    expect(await other.nextOf("connected")).toMatchObject({ resumed: true, session_id: id });
    expect(await other.ask("three")).toMatchObject({ session_id: id, content: "three", seq: 1 });
    const timeline = await store.timeline(id);
    expect(timeline?.session).toMatchObject({ title: "one", turns: 2, state: "idle" });
    expect(timeline?.messages).toMatchObject([
      { content: "one" },
      { content: "one" },
      { content: "three" },
      { content: "three" },
    ]);
    expect(timeline?.turns).toMatchObject([
      { turnId: turn_id, finishReason: "stop", replicas: [expect.stringMatching(/./)] },
      { finishReason: "stop", calls: [] },
    ]);
  });
});
