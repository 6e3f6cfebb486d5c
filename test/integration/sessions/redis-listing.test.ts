/** What lists and timelines of sessions in Redis do beside what every store does: other agents, older versions, damage, cost. */
import { describe, expect, it } from "vitest";
import {
  aRecordedTurn,
  aSession,
  begin,
  CLIENT,
  OWNER,
} from "../../../src/agent/sessions/contract/turns.ts";
import type { SessionStore } from "../../../src/agent/sessions/session-store.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import {
  anAgent,
  eventually,
  openRedisStore,
  REDIS_TTL_MS,
  RedisProbe,
} from "../../support/redis/redis-sessions.ts";
import { startRedis } from "../../support/redis/redis.ts";

const redis = forAllTests(
  () => startRedis(),
  (server) => server[Symbol.asyncDispose](),
);

/** A store of an agent of its own, and another connection to its Redis. */
function aStore() {
  const agent = anAgent();
  const store = openRedisStore(redis().url, { agent });
  const probe = new RedisProbe(redis().url);
  const key = `omnia:{index:${agent.namespace}/${agent.name}}:sessions`;
  return {
    agent,
    store,
    key,
    command: (...args: string[]) => probe.command(...args),
    probe,
    async [Symbol.asyncDispose]() {
      await Promise.all([store.close(), probe.close()]);
    },
  };
}

async function listed(store: SessionStore): Promise<string[]> {
  return (await store.list({ limit: 50 })).sessions.map(({ id }) => id);
}

describe("the sessions of an agent", () => {
  it("are unknown to another agent of the same Redis, whatever it asks", async () => {
    await using one = aStore();
    await using two = aStore();
    const sessionId = await aSession(one.store);
    await aRecordedTurn(one.store, sessionId, "t1");
    expect(await listed(two.store)).toEqual([]);
    expect(await two.store.timeline(sessionId)).toBeUndefined();
    expect(await two.store.delete(sessionId)).toBe(false);
    const fork = { newSessionId: "a-fork-of-another", client: CLIENT };
    expect(await two.store.fork(sessionId, fork)).toEqual({ status: "unknown-session" });
    // An index that names it does not open it.
    await two.command("ZADD", two.key, String(Date.now()), sessionId);
    expect(await listed(two.store)).toEqual([]);
    expect(await two.command("EXISTS", two.key)).toBe(0);
    expect(await listed(one.store)).toEqual([sessionId]);
  });

  it("are known to its other replicas a moment later", async () => {
    await using one = aStore();
    const other = openRedisStore(redis().url, { agent: one.agent });
    const sessionId = await aSession(one.store);
    await eventually(async () => expect(await listed(other)).toEqual([sessionId]));
    await other.close();
  });

  it("are all written to the index when the store is closed", async () => {
    await using one = aStore();
    const other = openRedisStore(redis().url, { agent: one.agent });
    const sessionId = await aSession(other);
    await other.close();
    expect(await listed(one.store)).toEqual([sessionId]);
  });
});

describe("an index", () => {
  it.each([
    ["is lost", ["DEL"]],
    ["holds something else", ["SET", "garbage"]],
  ])("that %s comes back as sessions are used", async (_, [verb = "", ...args]) => {
    await using one = aStore();
    const ids = [await aSession(one.store), await aSession(one.store)];
    expect(await listed(one.store)).toHaveLength(2);
    await one.command("DEL", one.key);
    if (verb !== "DEL") await one.command(verb, one.key, ...args);
    expect(await listed(one.store)).toEqual([]);
    expect(await one.store.timeline(ids[0] as string)).toBeDefined();
    await aRecordedTurn(one.store, ids[0] as string, "t1");
    expect(await listed(one.store)).toEqual([ids[0]]);
    await one.store.find(ids[1] as string, OWNER);
    expect(await listed(one.store)).toEqual([ids[1], ids[0]]);
  });

  it("lets go what is gone, what is no session, and what is too old", async () => {
    await using one = aStore();
    const kept = await aSession(one.store);
    const now = Date.now();
    await one.command("ZADD", one.key, String(now), "gone", String(now + 1), "no session at all");
    const old = String(now - REDIS_TTL_MS - 120_000);
    await one.command("ZADD", one.key, old, "old");
    expect(await listed(one.store)).toEqual([kept]);
    expect(await one.command("ZRANGE", one.key, "0", "-1")).toEqual([kept]);
    const left = await one.command("PTTL", one.key);
    expect(left).toBeGreaterThan(REDIS_TTL_MS);
  });
});

describe("a session that cannot be read", () => {
  it("is named and left out of the list, and can be deleted", async () => {
    await using one = aStore();
    const [good, bad, worse] = [
      await aSession(one.store),
      await aSession(one.store),
      await aSession(one.store),
    ];
    await one.command("HSET", `omnia:{${bad}}:session`, "seq", "many");
    await one.command("DEL", `omnia:{${worse}}:session`);
    await one.command("SET", `omnia:{${worse}}:session`, "garbage");
    const page = await one.store.list({ limit: 50 });
    expect(page.sessions.map(({ id }) => id)).toEqual([good]);
    expect(page.unreadable.toSorted()).toEqual([bad, worse].toSorted());
    expect(await one.store.delete(bad)).toBe(true);
    expect(await one.probe.keysOf(bad)).toEqual([]);
    expect(await one.store.delete(worse)).toBe(false);
  });

  it.each([
    ["turn-log", ["LSET", "0", "not JSON"], ["record of a turn 1"], 1, 4],
    ["turn-log", ["LSET", "1", '{"turnId":7}'], ["record of a turn 2"], 1, 4],
    ["turn-log", ["SET", "garbage"], ["each record of a turn"], 0, 4],
    ["messages", ["LSET", "1", "the user's secret"], ["message 2"], 2, 3],
    ["messages", ["SET", "garbage"], ["each message"], 2, 0],
  ])(
    "in part, has the rest: %s %j",
    async (name, [verb = "", ...args], unreadable, turns, messages) => {
      await using one = aStore();
      const sessionId = await aSession(one.store);
      await aRecordedTurn(one.store, sessionId, "t1");
      await aRecordedTurn(one.store, sessionId, "t2");
      const key = `omnia:{${sessionId}}:${name}`;
      if (verb === "SET") await one.command("DEL", key);
      await one.command(verb, key, ...args);
      const timeline = await one.store.timeline(sessionId);
      expect(timeline?.unreadable).toEqual(unreadable);
      expect(timeline?.turns).toHaveLength(turns);
      expect(timeline?.messages).toHaveLength(messages);
      expect(await listed(one.store)).toEqual([sessionId]);
      if (name !== "turn-log") return;
      // The next turn is remembered.
      await aRecordedTurn(one.store, sessionId, "t3");
      expect((await one.store.timeline(sessionId))?.turns.at(-1)?.turnId).toBe("t3");
    },
  );

  it.each(["title", "created", "summary"])("for its %s alone is listed without", async (field) => {
    await using one = aStore();
    const sessionId = await aSession(one.store);
    await aRecordedTurn(one.store, sessionId, "t1");
    await one.command("HSET", `omnia:{${sessionId}}:session`, field, "\u0000 -1 x");
    const page = await one.store.list({ limit: 5 });
    expect([...page.sessions.map(({ id }) => id), ...page.unreadable]).toEqual([sessionId]);
    await aRecordedTurn(one.store, sessionId, "t2");
  });
});

describe("a session of an earlier version", () => {
  /** Takes away what an earlier version does not write. */
  async function anEarlierSession({ store, command, key }: ReturnType<typeof aStore>) {
    const sessionId = await aSession(store);
    await aRecordedTurn(store, sessionId, "t1", { userMessage: "the first one" });
    await store.list({ limit: 1 });
    const hash = `omnia:{${sessionId}}:session`;
    await command("HDEL", hash, "agent", "title", "created", "summary");
    await command("DEL", `omnia:{${sessionId}}:turn-log`);
    await command("ZREM", key, sessionId);
    return sessionId;
  }

  it("goes on, and is listed with what is known when it is used", async () => {
    await using one = aStore();
    const sessionId = await anEarlierSession(one);
    expect(await listed(one.store)).toEqual([]);
    expect(await one.store.timeline(sessionId)).toBeUndefined();
    await one.store.find(sessionId, OWNER);
    expect((await one.store.list({ limit: 5 })).sessions).toMatchObject([
      { id: sessionId, title: "the first one", turns: 0, state: "idle" },
    ]);
    await aRecordedTurn(one.store, sessionId, "t2");
    expect((await one.store.list({ limit: 5 })).sessions).toMatchObject([
      { id: sessionId, title: "the first one", turns: 1, inputTokens: 3 },
    ]);
    const timeline = await one.store.timeline(sessionId);
    expect(timeline?.messages).toHaveLength(4);
    expect(timeline?.turns.map(({ turnId }) => turnId)).toEqual(["t2"]);
    const fork = { newSessionId: `${sessionId}-fork`, client: CLIENT, afterTurn: "t1" };
    expect(await one.store.fork(sessionId, fork)).toEqual({ status: "forked" });
    expect(await one.store.history(fork.newSessionId)).toHaveLength(2);
  });

  it("is not another agent's for that", async () => {
    await using one = aStore();
    await using two = aStore();
    const sessionId = await anEarlierSession(one);
    expect(await two.store.find(sessionId, "a stranger")).toBeUndefined();
    expect(await two.store.timeline(sessionId)).toBeUndefined();
    expect(await two.store.delete(sessionId)).toBe(false);
    expect(await one.store.find(sessionId, OWNER)).toBeDefined();
  });
});

describe("what it costs", () => {
  async function commandsOf(one: ReturnType<typeof aStore>, work: () => Promise<unknown>) {
    await one.command("CONFIG", "RESETSTAT");
    await work();
    const stats = (await one.command("INFO", "commandstats")) as string;
    const calls: Record<string, number> = {};
    for (const [, name = "", count] of stats.matchAll(/cmdstat_(\S+):calls=(\d+)/g)) {
      calls[name] = Number(count);
    }
    return calls;
  }

  it("is two round trips for a turn, and a command of the index every few seconds", async () => {
    await using one = aStore();
    const sessionId = await aSession(one.store);
    await aRecordedTurn(one.store, sessionId, "t0");
    await one.store.list({ limit: 1 });
    const calls = await commandsOf(one, async () => {
      for (let turn = 1; turn <= 100; turn++) await aRecordedTurn(one.store, sessionId, `t${turn}`);
    });
    expect(calls["evalsha"]).toBe(200);
    expect(calls["zadd"] ?? 0).toBeLessThan(10);
    // The message, its origin, the answer, when the turn ended, and its record.
    expect(calls["rpush"]).toBe(500);
  });

  it("is a few round trips for a page, however many sessions there are", async () => {
    await using one = aStore();
    for (let at = 0; at < 20; at++) {
      await Promise.all(Array.from({ length: 100 }, () => aSession(one.store)));
    }
    await one.store.list({ limit: 1 });
    const calls = await commandsOf(one, () => one.store.list({ limit: 50 }));
    expect(calls["zrevrangebyscore"]).toBe(1);
    expect(calls["evalsha"]).toBe(51);
  });
});

describe("the keys of a session that is deleted", () => {
  it("are gone at once, but for a mark that tells those who follow a turn", async () => {
    await using one = aStore();
    const idle = await aSession(one.store);
    await aRecordedTurn(one.store, idle, "t1");
    await one.store.delete(idle);
    expect(await one.probe.keysOf(idle)).toEqual([]);
    const running = await aSession(one.store);
    await begin(one.store, running, "t1", "m1");
    await one.store.delete(running);
    const frames = `omnia:{${running}}:frames`;
    expect(await one.probe.keysOf(running)).toEqual([frames]);
    expect(await one.command("PTTL", frames)).toBeLessThanOrEqual(2_000);
    expect(await listed(one.store)).toEqual([]);
  });
});
