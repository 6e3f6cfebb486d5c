import { setTimeout as realTime } from "node:timers/promises";
import { inspect } from "node:util";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import {
  all,
  answer,
  aSession,
  aTurn,
  begin,
  chunk,
  CLIENT,
  done,
  follow,
  never,
  OWNER,
} from "../../../src/agent/sessions/contract/turns.ts";
import { openRedisLink } from "../../../src/agent/sessions/redis/open-link.ts";
import type { RedisLink } from "../../../src/agent/sessions/redis/server-link.ts";
import { MAX_FOLLOWERS, RedisFrameReader } from "../../../src/agent/sessions/redis/frame-reader.ts";
import { describeSessionStore } from "../../../src/agent/sessions/contract/session-store.contract.ts";
import {
  CorruptSessionError,
  FramesForgottenError,
  StoreUnavailableError,
  TURN_LEASE_MS,
  type SessionStore,
  type TurnLease,
} from "../../../src/agent/sessions/session-store.ts";
import { systemClock } from "../../../src/time/clock.ts";
import {
  addressOf,
  anAgent,
  eventually,
  openRedisStore,
  REDIS_TTL_MS,
  RedisProbe,
} from "../../support/redis/redis-sessions.ts";
import { startRedis } from "../../support/redis/redis.ts";

const redis = await startRedis();
const probe = new RedisProbe(redis.url);
afterAll(async () => {
  await probe.close();
  await redis[Symbol.asyncDispose]();
});

describeSessionStore("RedisSessionStore", async (options) => {
  const agent = anAgent();
  const store = openRedisStore(redis.url, { ...options, agent });
  const other = openRedisStore(redis.url, { ...options, agent });
  return {
    store,
    other,
    passTime: (sessionId, ms) => probe.passTime(sessionId, ms),
    pause: () => realTime(5),
    async dispose() {
      await Promise.all([store.close(), other.close()]);
    },
  };
});

describe("keys in Redis", () => {
  const store = openRedisStore(redis.url);
  afterAll(() => store.close());

  it("are all in the slot of their session, with one expiry that slides", async () => {
    const sessionId = await aSession(store);
    await aTurn(store, sessionId, "t0");
    await begin(store, sessionId, "t1", "message of t1");
    const keys = await probe.keysOf(sessionId);
    expect(keys).toEqual(
      ["frames", "journal", "message-ids", "messages", "session", "turns"].map(
        (name) => `omnia:{${sessionId}}:${name}`,
      ),
    );
    const writes: (() => Promise<unknown>)[] = [
      () => store.find(sessionId, OWNER),
      () => begin(store, sessionId, "t1"),
      () => store.takeOver(sessionId, OWNER, "a claim"),
      () => store.cancelTurn(sessionId, OWNER),
      () =>
        store.beginTurn(sessionId, OWNER, {
          turnId: "t3",
          userMessage: "?",
          messageId: "message of t1",
        }),
      () => store.beginTurn(sessionId, OWNER, { turnId: "t4", userMessage: "?" }),
    ];
    for (const write of writes) {
      await probe.passTime(sessionId, REDIS_TTL_MS / 2);
      await write();
      // The list of ended turns is not there when all of them ended long ago.
      const there = await probe.keysOf(sessionId);
      expect(keys).toEqual(expect.arrayContaining(there));
      const expiries = await Promise.all(there.map((key) => probe.command("PEXPIRETIME", key)));
      expect(new Set(expiries).size).toBe(1);
      const left = await probe.command("PTTL", there[0] as string);
      expect(left).toBeGreaterThan(REDIS_TTL_MS - 10_000);
      expect(left).toBeLessThanOrEqual(REDIS_TTL_MS);
    }
  });

  it("are gone when the ttl is over", async () => {
    const short = openRedisStore(redis.url, { ttlMs: 50 });
    const sessionId = await aSession(short);
    await aTurn(short, sessionId);
    expect(short.activeSessions()).toBe(1);
    await eventually(async () => expect(await probe.keysOf(sessionId)).toEqual([]));
    expect(await short.find(sessionId, OWNER)).toBeUndefined();
    expect(short.activeSessions()).toBe(0);
    await short.close();
  });

  it("expire no sooner than the lease of the turn that runs", async () => {
    const short = openRedisStore(redis.url, { ttlMs: 50 });
    const sessionId = await aSession(short);
    const lease = await begin(short, sessionId);
    await short.find(sessionId, OWNER);
    for (const key of await probe.keysOf(sessionId)) {
      const left = await probe.command("PTTL", key);
      expect(left).toBeGreaterThan(TURN_LEASE_MS - 5_000);
      expect(left).toBeLessThanOrEqual(TURN_LEASE_MS);
    }
    await short.endTurn(lease, { frames: [done(lease, 1)], messages: [] });
    expect(await probe.command("PTTL", `omnia:{${sessionId}}:session`)).toBeLessThanOrEqual(50);
    await short.close();
  });

  it("hold frames by ids that are their seq", async () => {
    const sessionId = await aSession(store);
    const lease = await begin(store, sessionId);
    await store.appendFrames(lease, [chunk(lease, 1, "a"), chunk(lease, 2, "b")]);
    const entries = (await probe.command(
      "XRANGE",
      `omnia:{${sessionId}}:frames`,
      "-",
      "+",
    )) as string[][];
    expect(entries.map(([id]) => id)).toEqual(["1-0", "2-0"]);
  });

  it.each([
    ["session", ["SET", "garbage"]],
    ["session", ["HSET", "seq", "many"]],
    ["session", ["HSET", "unknown", "field"]],
    ["messages", ["SET", "garbage"]],
    ["messages", ["RPUSH", "not JSON"]],
    ["messages", ["RPUSH", '{"role":"user"}']],
    ["messages", ["DEL"]],
  ])(
    "that hold garbage are an error, not a session that is absent: %s %j",
    async (name, [verb, ...args]) => {
      const sessionId = await aSession(store);
      await aTurn(store, sessionId);
      const key = `omnia:{${sessionId}}:${name}`;
      if (verb === "RPUSH") await probe.command("LPOP", key);
      else await probe.command("DEL", key);
      if (verb !== "DEL") await probe.command(verb as string, key, ...args);
      await expect(store.history(sessionId)).rejects.toThrow(CorruptSessionError);
      if (name !== "session") return;
      await expect(store.find(sessionId, OWNER)).rejects.toThrow(CorruptSessionError);
      await expect(begin(store, sessionId, "t2")).rejects.toThrow(CorruptSessionError);
      await expect(store.create(sessionId, CLIENT)).rejects.toThrow(CorruptSessionError);
      await expect(all(store.frames(sessionId, 0, never))).rejects.toThrow(CorruptSessionError);
    },
  );

  it.each([
    ["frames", ["SET", "garbage"]],
    ["frames", ["XADD", "1-0", "f", "not JSON"]],
    ["frames", ["XADD", "1-0", "f", '{"type":"chunk","seq":2}']],
    ["turns", ["SET", "garbage"]],
    ["turns", ["RPUSH", "garbage"]],
  ])("that hold garbage instead of frames are an error: %s %j", async (name, [verb, ...args]) => {
    const sessionId = await aSession(store);
    await aTurn(store, sessionId);
    const key = `omnia:{${sessionId}}:${name}`;
    await probe.command("DEL", key);
    await probe.command(verb as string, key, ...args);
    await expect(all(store.frames(sessionId, 0, never))).rejects.toThrow(CorruptSessionError);
  });

  it("does not show what it cannot read", async () => {
    const sessionId = await aSession(store);
    await aTurn(store, sessionId);
    await probe.command("LSET", `omnia:{${sessionId}}:messages`, "0", "the user's secret");
    const error = await store.history(sessionId).catch((thrown: unknown) => thrown);
    expect(inspect(error, { depth: null })).not.toContain("secret");
  });

  it("let frames of old turns go in pieces, however many they are", async () => {
    const sessionId = await aSession(store);
    for (let turn = 1; turn <= 150; turn++) {
      const lease = await begin(store, sessionId, `t${turn}`, `message of t${turn}`);
      await store.endTurn(lease, { frames: [done(lease, turn)], messages: [] });
    }
    await probe.passTime(sessionId, 11 * 60_000);
    for (let read = 0; read < 3; read++) {
      await expect(all(store.frames(sessionId, 0, never))).rejects.toThrow(FramesForgottenError);
    }
    expect(await probe.command("XLEN", `omnia:{${sessionId}}:frames`)).toBe(0);
    expect(await probe.command("LLEN", `omnia:{${sessionId}}:turns`)).toBe(0);
    expect(await probe.command("HGET", `omnia:{${sessionId}}:session`, "kept")).toBe("0");
  });
});

describe("what a turn costs Redis", () => {
  /** How often Redis ran each command, by clients and by scripts. */
  async function commandsOf(work: () => Promise<unknown>): Promise<Record<string, number>> {
    await probe.command("CONFIG", "RESETSTAT");
    await work();
    const stats = (await probe.command("INFO", "commandstats")) as string;
    const calls: Record<string, number> = {};
    for (const [, name, count] of stats.matchAll(/cmdstat_(\S+):calls=(\d+)/g)) {
      calls[name as string] = Number(count);
    }
    return calls;
  }

  it("is two round trips for a whole echo turn, in a session of any length", async () => {
    const store = openRedisStore(redis.url);
    const sessionId = await aSession(store);
    const echo = async (turn: number): Promise<void> => {
      const lease = await begin(store, sessionId, `t${turn}`, `message of t${turn}`);
      await store.endTurn(lease, { frames: [done(lease, turn)], messages: [answer(lease)] });
    };
    await echo(1);
    const first = await commandsOf(async () => {
      for (let turn = 2; turn <= 101; turn++) await echo(turn);
    });
    const filling = Array.from({ length: 50 }, () => "x".repeat(1_000));
    for (let round = 0; round < 40; round++) {
      await probe.command("RPUSH", `omnia:{${sessionId}}:messages`, ...filling);
    }
    for (let turn = 102; turn <= 600; turn++) await echo(turn);
    const later = await commandsOf(async () => {
      for (let turn = 601; turn <= 700; turn++) await echo(turn);
    });
    for (const calls of [first, later]) {
      expect(calls["evalsha"]).toBe(200);
      expect(calls["eval"]).toBeUndefined();
      // What the scripts call, by turn, and none of it reads the history.
      expect(calls["lrange"]).toBeUndefined();
      expect(calls["rpush"]).toBe(400);
      expect(calls["xadd"]).toBe(200);
    }
    const sum = (calls: Record<string, number>): number =>
      Object.values(calls).reduce((total, count) => total + count, 0);
    // The ring of message ids came round meanwhile, which costs one more HDEL a turn.
    expect(sum(later) - sum(first)).toBeLessThanOrEqual(100);
    await store.close();
  });

  it("goes on when Redis has forgotten the scripts", async () => {
    const store = openRedisStore(redis.url);
    const sessionId = await aSession(store);
    await probe.command("SCRIPT", "FLUSH");
    await Promise.all([
      store.find(sessionId, OWNER),
      store.find(sessionId, OWNER),
      store.history(sessionId),
    ]);
    await aTurn(store, sessionId);
    await store.close();
  });

  it("does not follow more than a number of turns at once", async () => {
    const connect = (): RedisLink =>
      openRedisLink({ address: addressOf(redis.url), clock: systemClock });
    const reader = new RedisFrameReader({
      commands: probe.connection,
      connect,
      clock: systemClock,
    });
    for (let feed = 0; feed < MAX_FOLLOWERS; feed++)
      reader.open(`omnia:{${feed % 9}}:frames`, "0-0");
    expect(() => reader.open("omnia:{x}:frames", "0-0")).toThrow(StoreUnavailableError);
    await reader.close();
  });

  it("is one connection that waits, however many follow", async () => {
    const [writer, store] = [openRedisStore(redis.url), openRedisStore(redis.url)];
    const connections = async (): Promise<number> =>
      ((await probe.command("CLIENT", "LIST")) as string).trim().split("\n").length;
    await Promise.all([writer.check(), store.check()]);
    const before = await connections();
    const followers = [];
    const leases = [];
    for (let session = 0; session < 30; session++) {
      const lease = await begin(writer, await aSession(writer));
      leases.push(lease);
      followers.push(follow(store.frames(lease.sessionId, 0, never)));
    }
    await writer.appendFrames(leases[0] as TurnLease, [chunk(leases[0] as TurnLease, 1, "x")]);
    await followers[0]?.reaches(1);
    expect(await connections()).toBe(before + 1);
    await store.close();
    for (const { ended } of followers) await expect(ended).rejects.toThrow(StoreUnavailableError);
    await writer.close();
  });
});

describe("two replicas", () => {
  it("never both run a turn of one session, whatever they do", async () => {
    const stores = [openRedisStore(redis.url), openRedisStore(redis.url)] as const;
    const step = fc.record({
      replica: fc.constantFrom(0, 1),
      action: fc.constantFrom("begin", "append", "end", "renew", "expire"),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const sessionId = await aSession(stores[0]);
        const leases: (TurnLease | undefined)[] = [undefined, undefined];
        // What must be: who may write, whether its lease goes on, and what was written.
        let holder: number | undefined;
        let isLeased = false;
        let seq = 0;
        const expected: string[] = [];
        const outcomes: string[] = [];
        for (const [at, { replica, action }] of steps.entries()) {
          const store = stores[replica];
          const lease = leases[replica];
          if (action === "expire") {
            await probe.passTime(sessionId, TURN_LEASE_MS + 1);
            isLeased = false;
          } else if (action === "begin") {
            const begun = await store.beginTurn(sessionId, OWNER, {
              turnId: `${at}`,
              userMessage: "?",
            });
            expected.push(
              isLeased ? "in-progress" : `${holder === undefined ? "started" : "taken"} at ${seq}`,
            );
            if (begun.status === "abandoned") {
              const takenOver = await store.takeOver(sessionId, OWNER, `claim ${at}`);
              if (takenOver.status !== "taken") throw new Error(takenOver.status);
              outcomes.push(`taken at ${takenOver.turn.lastSeq}`);
              leases[replica] = takenOver.turn.lease;
            } else if (begun.status === "started") {
              outcomes.push(`started at ${begun.lease.seqBefore}`);
              leases[replica] = begun.lease;
            } else {
              outcomes.push(begun.status);
              continue;
            }
            holder = replica;
            isLeased = true;
          } else if (lease !== undefined) {
            const frames = [chunk(lease, seq + 1, "x")];
            const written = {
              append: () => store.appendFrames(lease, frames),
              renew: () => store.renewTurn(lease),
              end: () => store.endTurn(lease, { frames, messages: [answer(lease)] }),
            }[action]();
            outcomes.push(
              await written.then(
                () => "written",
                (error: Error) => error.name,
              ),
            );
            expected.push(holder === replica ? "written" : "TurnLostError");
            if (holder !== replica) continue;
            if (action !== "renew") seq += 1;
            isLeased = action !== "end";
            if (action !== "end") continue;
            holder = undefined;
            leases[replica] = undefined;
          }
        }
        expect(outcomes).toEqual(expected);
        const reader = new AbortController();
        const given: number[] = [];
        if (seq === 0) reader.abort();
        for await (const frames of stores[1].frames(sessionId, 0, reader.signal)) {
          given.push(...frames.map((frame) => frame.seq));
          if (given.length >= seq) reader.abort();
        }
        expect(given).toEqual(Array.from({ length: seq }, (_, at) => at + 1));
      }),
      { numRuns: 30 },
    );
    await Promise.all(stores.map((store) => store.close()));
  });

  it("give a client that moves between them every frame once", async () => {
    const stores = [openRedisStore(redis.url), openRedisStore(redis.url)] as const;
    const sessionId = await aSession(stores[0]);
    const lease = await begin(stores[0], sessionId);
    const given: number[] = [];
    const client = (async () => {
      for (let visit = 0; (given.at(-1) ?? 0) < 300; visit++) {
        const store = stores[visit % 2] as SessionStore;
        for await (const frames of store.frames(sessionId, given.at(-1) ?? 0, never)) {
          given.push(...frames.map(({ seq }) => seq));
          if (given.length % 4 === 0) break;
        }
      }
    })();
    for (let seq = 1; seq < 300; seq += 3) {
      const frames = [seq, seq + 1, seq + 2].map((at) => chunk(lease, at, "x"));
      await stores[0].appendFrames(lease, frames);
    }
    await stores[0].endTurn(lease, { frames: [], messages: [] });
    await client;
    expect(given).toEqual(Array.from({ length: 300 }, (_, at) => at + 1));
    await Promise.all(stores.map((store) => store.close()));
  });
});
