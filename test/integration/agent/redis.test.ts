import { describe, expect, it } from "vitest";
import type { ChatClient } from "../../support/agent/chat-client.ts";
import { openRedisStore, RedisProbe } from "../../support/redis/redis-sessions.ts";
import { startRedis } from "../../support/redis/redis.ts";
import { TestAgent, type TestAgentOptions } from "../../support/agent/test-agent.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import { timeFor } from "../../support/processes/busy-machine.ts";

const redis = forAllTests(
  () => startRedis({ appendOnly: true }),
  (redis) => redis[Symbol.asyncDispose](),
);

const session = {
  type: "redis",
  ttlMs: 3_600_000,
  storeURLFile: "secrets/session-store/url",
} as const;

function aReplica(options: TestAgentOptions = {}): Promise<TestAgent> {
  return TestAgent.start({
    files: { "secrets/session-store/url": `${redis().url}\n` },
    ...options,
    config: { session, ...options.config },
  });
}

/** Answers at the pace of a person: a turn takes a few seconds. */
const slow: TestAgentOptions = { config: { handler: "demo" }, env: {} };

function seqs(client: ChatClient): number[] {
  return client.frames.flatMap((frame) =>
    frame.type !== "connected" && "seq" in frame ? [frame.seq] : [],
  );
}

describe("two replicas", () => {
  it("go on with each other's sessions", async () => {
    const [one, two] = [await aReplica(), await aReplica()];
    const { session_id } = await (await one.connect()).ask("on one");
    const client = await two.connect();
    expect(await client.ask("on two", { session_id })).toMatchObject({ session_id, seq: 2 });
    client.send({ type: "resume", session_id, after: 0 });
    expect(await client.nextOf("done")).toMatchObject({ content: "on one", seq: 1 });
    expect(await client.nextOf("done")).toMatchObject({ content: "on two", seq: 2 });
    expect(
      await (await one.connect(`/?session_id=${session_id}`)).ask("back on one"),
    ).toMatchObject({ seq: 3 });
  });

  it("run one turn at a time in a session, and tell it from both", async () => {
    const [one, two] = [await aReplica(slow), await aReplica(slow)];
    const first = await one.connect();
    const { session_id } = await first.nextOf("connected");
    first.say("hello", { id: "m-1" });
    await first.nextOf("chunk");
    const second = await two.connect();
    second.say("me too", { session_id });
    expect(await second.nextOf("error")).toMatchObject({ error: { code: "TURN_IN_PROGRESS" } });

    const third = await two.connect(`/?session_id=${session_id}`);
    expect(await third.nextOf("connected")).toMatchObject({ resumed: true });
    third.say("hello", { id: "m-1" });
    const done = await third.nextOf("done");
    expect(await first.nextOf("done")).toEqual(done);
    const told = seqs(third).slice(seqs(third).indexOf(1));
    expect(told).toEqual(Array.from({ length: done.seq }, (_, index) => index + 1));
  });

  it("show a connection what went on elsewhere when a turn comes by here", async () => {
    const [one, two] = [await aReplica(), await aReplica()];
    const watcher = await one.connect();
    const { session_id } = await watcher.ask("one");
    await (await two.connect()).ask("two", { session_id });
    await (await one.connect()).ask("three", { session_id });
    expect(await watcher.nextOf("done")).toMatchObject({ content: "two", seq: 2 });
    expect(await watcher.nextOf("done")).toMatchObject({ content: "three", seq: 3 });
  });
});

describe("a session store that is down", () => {
  it("makes messages UNAVAILABLE, never new sessions, and the session goes on when it is back", async () => {
    const agent = await aReplica();
    const client = await agent.connect();
    const { session_id } = await client.ask("before");
    await redis().stop();
    expect(await agent.management("/readyz")).toMatchObject({
      status: 503,
      body: expect.stringContaining("the session store does not answer"),
    });
    client.say("during");
    const error = await client.next();
    expect(error).toMatchObject({ type: "error", session_id, error: { code: "UNAVAILABLE" } });
    expect(JSON.stringify(error)).not.toMatch(/127\.0\.0\.1|redis:|ECONN/);
    const other = await agent.connect(`/?session_id=${session_id}`);
    expect(await other.next()).toMatchObject({
      type: "error",
      session_id,
      error: { code: "UNAVAILABLE" },
    });
    // A new client is let in all the same: it may be back by the time of the first message.
    const fresh = await agent.connect();
    expect(await fresh.next()).toMatchObject({ type: "connected", resumed: false });

    await redis().start();
    await expect.poll(() => agent.management("/readyz")).toMatchObject({ status: 200 });
    expect(await client.ask("after")).toMatchObject({ session_id, seq: 2 });
    other.say("and here");
    expect(await other.next()).toMatchObject({
      type: "connected",
      session_id,
      resumed: true,
      seq: 2,
    });
    expect(await other.nextOf("done")).toMatchObject({ session_id, seq: 3 });
    expect((await fresh.ask("hello")).session_id).toBe(fresh.frames[0]?.session_id);
  });

  it("holds a turn up for as long as it is away for a moment, and no frame is lost", async () => {
    const agent = await aReplica(slow);
    const client = await agent.connect();
    client.say("hello");
    const { session_id } = await client.nextOf("chunk");
    const elsewhere = await (await aReplica()).connect();
    elsewhere.send({ type: "resume", session_id, after: 0 });
    await elsewhere.nextOf("chunk");
    await redis().restart();
    const done = await client.nextOf("done");
    expect(await elsewhere.nextOf("done")).toEqual(done);
    expect(seqs(elsewhere)).toEqual(seqs(client));
    expect(done.finish_reason).toBe("stop");
    expect(seqs(client)).toEqual(Array.from({ length: done.seq }, (_, index) => index + 1));
    const chunks = client.frames
      .map((frame) => (frame.type === "chunk" ? frame.content : ""))
      .join("");
    expect(chunks).toBe(done.content);
  });

  it("that stood still takes up no message of which it was said that it was not taken", async () => {
    const agent = await aReplica();
    const client = await agent.connect();
    const { session_id } = await client.ask("before");
    redis().pause();
    client.say("during", { id: "m-1" });
    expect(await client.nextOf("error")).toMatchObject({ error: { code: "UNAVAILABLE" } });
    redis().resume();
    const asked = performance.now();
    await expect.poll(() => agent.management("/readyz")).toMatchObject({ status: 200 });
    // Neither the message nor a turn of it is in the way.
    expect(await client.ask("after")).toMatchObject({ session_id, seq: 2, content: "after" });
    expect(await client.ask("during", { id: "m-1" })).toMatchObject({ seq: 3, content: "during" });
    expect(performance.now() - asked).toBeLessThan(timeFor(10_000));
    const store = openRedisStore(redis().url);
    const history = await store.history(session_id);
    expect(history.flatMap((message) => (message.role === "user" ? message.content : []))).toEqual([
      "before",
      "after",
      "during",
    ]);
    await store.close();
  });

  it("that comes back without its last writes is told them again by the turn that runs", async () => {
    const agent = await aReplica(slow);
    const probe = new RedisProbe(redis().url);
    const client = await agent.connect();
    client.say("hello");
    const { session_id } = await client.nextOf("chunk");
    const keys = await probe.keysOf(session_id);
    await Promise.all(keys.map((key) => probe.command("COPY", key, `${key}:then`)));
    for (let chunk = 0; chunk < 10; chunk++) await client.nextOf("chunk");
    await Promise.all(keys.map((key) => probe.command("COPY", `${key}:then`, key, "REPLACE")));
    const done = await client.nextOf("done");
    const second = await agent.connect();
    second.send({ type: "resume", session_id, after: 0 });
    expect(await second.nextOf("done")).toEqual(done);
    const all = Array.from({ length: done.seq }, (_, at) => at + 1);
    expect([seqs(client), seqs(second)]).toEqual([all, all]);
    await probe.close();
  });

  it("ends a turn with UNAVAILABLE when it stays away", async () => {
    const agent = await aReplica(slow);
    const client = await agent.connect();
    client.say("hello");
    await client.nextOf("chunk");
    await redis().stop();
    const { session_id } = await client.nextOf("error");
    expect(client.frames.at(-1)).toMatchObject({ error: { code: "UNAVAILABLE" } });
    await redis().start();
    await expect.poll(() => agent.management("/readyz")).toMatchObject({ status: 200 });
    // The turn is over in the store too: nothing goes on, and the next message is taken.
    const { seq } = await client.ask("hello", { session_id });
    const before = client.frames.length;
    client.send({ type: "resume", session_id, after: 0 });
    await client.nextOf("done");
    await client.nextOf("done");
    expect(seqs(client).slice(before - client.frames.length + 1)).toEqual(
      Array.from({ length: seq }, (_, at) => at + 1),
    );
  });
});

describe("a session store with TLS", () => {
  it("is trusted by the authority that stands in the Secret beside its URL", async () => {
    await using server = await startRedis({ tls: true, password: "secret" });
    const withCA = { ...session, storeCAFile: "secrets/session-store/ca.crt" };
    const agent = await aReplica({
      config: { session: withCA },
      files: { "secrets/session-store/url": server.url },
    });
    expect(await agent.management("/readyz")).toMatchObject({ status: 503 });
    await agent.writeFile("secrets/session-store/ca.crt", server.ca ?? "");
    await expect.poll(() => agent.management("/readyz")).toMatchObject({ status: 200 });
    expect(await (await agent.connect()).ask("hello")).toMatchObject({ seq: 1 });
    await agent.writeFile("secrets/session-store/ca.crt", "no certificate");
    await expect.poll(() => agent.management("/readyz")).toMatchObject({ status: 503 });
    const problems = agent.logged.map((line) => line["msg"]);
    expect(problems).toContainEqual(expect.stringContaining("is not trusted"));
  });
});

describe("a config that changes the session store", () => {
  it("lets a running turn end where it began", async () => {
    const agent = await aReplica({
      ...slow,
      config: { handler: "demo", session: { type: "memory", ttlMs: 60_000 } },
    });
    const client = await agent.connect();
    const { session_id } = await client.nextOf("connected");
    client.say("hello");
    await client.nextOf("chunk");
    await agent.writeConfig({ handler: "echo", session });
    await expect
      .poll(() => agent.logged.filter((line) => line["msg"] === "The session store is open"))
      .toHaveLength(2);
    expect(await client.nextOf("done")).toMatchObject({ session_id, finish_reason: "stop" });
    // The session is not known to the new store.
    client.say("hello");
    expect(await client.nextOf("connected")).toMatchObject({ resumed: false });
    expect(await client.nextOf("done")).toMatchObject({ content: "hello", seq: 1 });
  });

  it("is followed where only the URL's file is another", async () => {
    await using other = await startRedis({ password: "rotated" });
    const agent = await aReplica();
    const client = await agent.connect();
    const { session_id } = await client.ask("hello");
    await agent.writeFile("secrets/session-store/url", other.url);
    client.say("hello");
    await expect
      .poll(async () => {
        client.say("hello");
        return client.frames.at(-1)?.session_id;
      })
      .not.toBe(session_id);
    expect(JSON.stringify(agent.logged)).not.toContain("rotated");
  });

  it("to one that has no URL keeps the one before, and says so", async () => {
    const agent = await aReplica({ files: {} });
    expect(await agent.management("/readyz")).toMatchObject({
      status: 503,
      body: expect.stringContaining("the secret file secrets/session-store/url could not be read"),
    });
    const client = await agent.connect();
    client.say("hello");
    expect(await client.nextOf("error")).toMatchObject({ error: { code: "UNAVAILABLE" } });
    await agent.writeFile("secrets/session-store/url", redis().url);
    await expect.poll(() => agent.management("/readyz")).toMatchObject({ status: 200 });
    expect(await client.ask("hello")).toMatchObject({ seq: 1 });
  });
});
