import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { inspect, promisify } from "node:util";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { openSessionStore } from "../../src/agent/sessions/open-session-store.ts";
import {
  MAX_COMMANDS_IN_FLIGHT,
  RedisConnection,
} from "../../src/agent/sessions/redis-connection.ts";
import { MAX_FOLLOWERS, RedisFrameReader } from "../../src/agent/sessions/redis-frame-reader.ts";
import { RedisSessionStore } from "../../src/agent/sessions/redis-session-store.ts";
import { InvalidStoreURLError, parseRedisURL } from "../../src/agent/sessions/redis-url.ts";
import { newSessionId } from "../../src/agent/sessions/session-id.ts";
import {
  all,
  answer,
  chunk,
  describeSessionStore,
  done,
  follow,
} from "../../src/agent/sessions/session-store.contract.ts";
import {
  CorruptSessionError,
  StoreUnavailableError,
  TURN_LEASE_MS,
  type SessionStore,
  type TurnLease,
} from "../../src/agent/sessions/session-store.ts";
import { systemClock } from "../../src/observability/clock.ts";
import { startRedis, type RedisServer } from "../support/redis.ts";

const TTL_MS = 60 * 60_000;
const PASSWORD = "p@ss w/rd%:#?";

let redis: RedisServer;
let raw: RedisConnection;

beforeAll(async () => {
  redis = await startRedis();
  raw = new RedisConnection({ address: parseRedisURL(redis.url), clock: systemClock });
});
afterAll(async () => {
  await raw.close();
  await redis[Symbol.asyncDispose]();
});

function openStore(url: string, options: { ttlMs?: number; ca?: string } = {}): SessionStore {
  const { ttlMs = TTL_MS, ca } = options;
  const authority = ca === undefined ? {} : { ca };
  return new RedisSessionStore({
    address: parseRedisURL(url),
    clock: systemClock,
    ttlMs,
    ...authority,
  });
}

async function aSession(store: SessionStore): Promise<string> {
  const sessionId = newSessionId(randomBytes);
  await store.create(sessionId, {});
  return sessionId;
}

async function begin(store: SessionStore, sessionId: string, turnId = "t1"): Promise<TurnLease> {
  const begun = await store.beginTurn(sessionId, { turnId, userMessage: "?", messageId: turnId });
  if (begun.status !== "started") throw new Error(begun.status);
  return begun.lease;
}

async function aTurn(store: SessionStore, sessionId: string, turnId = "t1"): Promise<void> {
  const lease = await begin(store, sessionId, turnId);
  const { seqBefore } = lease;
  await store.appendFrames(lease, [chunk(lease, seqBefore + 1, "…")]);
  await store.endTurn(lease, { frames: [done(lease, seqBefore + 2)], messages: [answer(lease)] });
}

function command(...args: string[]): Promise<unknown> {
  return raw.execute(args);
}

async function keysOf(sessionId: string): Promise<string[]> {
  return ((await command("KEYS", `omnia:{${sessionId}}:*`)) as string[]).toSorted();
}

/** Sets back all times that Redis knows of a session. */
async function passTime(sessionId: string, ms: number): Promise<void> {
  const prefix = `omnia:{${sessionId}}:`;
  const turns = (await command("LRANGE", `${prefix}turns`, "0", "-1")) as string[];
  for (const [at, turn] of turns.entries()) {
    const [ended, ...rest] = turn.split(" ");
    const earlier = [String(Number(ended) - ms), ...rest].join(" ");
    await command("LSET", `${prefix}turns`, String(at), earlier);
  }
  const lease = Number(await command("HGET", `${prefix}session`, "lease"));
  if (lease > 0) await command("HSET", `${prefix}session`, "lease", String(lease - ms));
  for (const key of await keysOf(sessionId)) {
    const left = (await command("PTTL", key)) as number;
    if (left > 0) await command("PEXPIRE", key, String(Math.max(0, left - ms)));
  }
}

async function eventually(holds: () => Promise<unknown>): Promise<void> {
  await vi.waitFor(holds, { timeout: 20_000, interval: 20 });
}

describeSessionStore("RedisSessionStore", async ({ ttlMs, leaseMs }) => {
  const options = { address: parseRedisURL(redis.url), clock: systemClock, ttlMs };
  const lease = leaseMs === undefined ? {} : { leaseMs };
  const store = new RedisSessionStore({ ...options, ...lease });
  const other = new RedisSessionStore({ ...options, ...lease });
  return {
    store,
    other,
    passTime,
    async dispose() {
      await Promise.all([store.close(), other.close()]);
    },
  };
});

describe("keys in Redis", () => {
  let store: SessionStore;
  beforeAll(() => {
    store = openStore(redis.url);
  });
  afterAll(() => store.close());

  it("are all in the slot of their session, with one expiry that slides", async () => {
    const sessionId = await aSession(store);
    await aTurn(store, sessionId);
    const keys = await keysOf(sessionId);
    expect(keys).toEqual(
      ["frames", "message-ids", "messages", "session", "turns"].map(
        (name) => `omnia:{${sessionId}}:${name}`,
      ),
    );
    const writes: (() => Promise<unknown>)[] = [
      () => store.find(sessionId),
      () => begin(store, sessionId, "t2"),
      () => begin(store, sessionId, "t2"),
      () => store.beginTurn(sessionId, { turnId: "t3", userMessage: "?", messageId: "t1" }),
      () => store.beginTurn(sessionId, { turnId: "t4", userMessage: "?" }),
    ];
    for (const write of writes) {
      await passTime(sessionId, TTL_MS / 2);
      await write();
      // The list of ended turns is not there when all of them ended long ago.
      const there = await keysOf(sessionId);
      expect(keys).toEqual(expect.arrayContaining(there));
      const expiries = await Promise.all(there.map((key) => command("PEXPIRETIME", key)));
      expect(new Set(expiries).size).toBe(1);
      const left = await command("PTTL", there[0] as string);
      expect(left).toBeGreaterThan(TTL_MS - 10_000);
      expect(left).toBeLessThanOrEqual(TTL_MS);
    }
  });

  it("are gone when the ttl is over", async () => {
    const short = openStore(redis.url, { ttlMs: 50 });
    const sessionId = await aSession(short);
    await aTurn(short, sessionId);
    expect(short.activeSessions()).toBe(1);
    await eventually(async () => expect(await keysOf(sessionId)).toEqual([]));
    expect(await short.find(sessionId)).toBeUndefined();
    expect(short.activeSessions()).toBe(0);
    await short.close();
  });

  it("expire no sooner than the lease of the turn that runs", async () => {
    const short = openStore(redis.url, { ttlMs: 50 });
    const sessionId = await aSession(short);
    const lease = await begin(short, sessionId);
    await short.find(sessionId);
    for (const key of await keysOf(sessionId)) {
      const left = await command("PTTL", key);
      expect(left).toBeGreaterThan(TURN_LEASE_MS - 5_000);
      expect(left).toBeLessThanOrEqual(TURN_LEASE_MS);
    }
    await short.endTurn(lease, { frames: [done(lease, 1)], messages: [] });
    expect(await command("PTTL", `omnia:{${sessionId}}:session`)).toBeLessThanOrEqual(50);
    await short.close();
  });

  it("hold frames by ids that are their seq", async () => {
    const sessionId = await aSession(store);
    const lease = await begin(store, sessionId);
    await store.appendFrames(lease, [chunk(lease, 1, "a"), chunk(lease, 2, "b")]);
    const entries = (await command(
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
      if (verb === "RPUSH") await command("LPOP", key);
      else await command("DEL", key);
      if (verb !== "DEL") await command(verb as string, key, ...args);
      await expect(store.history(sessionId)).rejects.toThrow(CorruptSessionError);
      if (name !== "session") return;
      await expect(store.find(sessionId)).rejects.toThrow(CorruptSessionError);
      await expect(begin(store, sessionId, "t2")).rejects.toThrow(CorruptSessionError);
      await expect(store.create(sessionId, {})).rejects.toThrow(CorruptSessionError);
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
    await command("DEL", key);
    await command(verb as string, key, ...args);
    await expect(all(store.frames(sessionId, 0, never))).rejects.toThrow(CorruptSessionError);
  });

  it("does not show what it cannot read", async () => {
    const sessionId = await aSession(store);
    await aTurn(store, sessionId);
    await command("LSET", `omnia:{${sessionId}}:messages`, "0", "the user's secret");
    const error = await store.history(sessionId).catch((thrown: unknown) => thrown);
    expect(inspect(error, { depth: null })).not.toContain("secret");
  });

  it("let frames of old turns go in pieces, however many they are", async () => {
    const sessionId = await aSession(store);
    for (let turn = 1; turn <= 150; turn++) {
      const lease = await begin(store, sessionId, `t${turn}`);
      await store.endTurn(lease, { frames: [done(lease, turn)], messages: [] });
    }
    await passTime(sessionId, 11 * 60_000);
    for (let read = 0; read < 3; read++) await all(store.frames(sessionId, 0, never));
    expect(await command("XLEN", `omnia:{${sessionId}}:frames`)).toBe(0);
    expect(await command("LLEN", `omnia:{${sessionId}}:turns`)).toBe(0);
    expect(await command("HGET", `omnia:{${sessionId}}:session`, "kept")).toBe("0");
  });
});

describe("what a turn costs Redis", () => {
  /** How often Redis ran each command, by clients and by scripts. */
  async function commandsOf(work: () => Promise<unknown>): Promise<Record<string, number>> {
    await command("CONFIG", "RESETSTAT");
    await work();
    const stats = (await command("INFO", "commandstats")) as string;
    const calls: Record<string, number> = {};
    for (const [, name, count] of stats.matchAll(/cmdstat_(\S+):calls=(\d+)/g)) {
      calls[name as string] = Number(count);
    }
    return calls;
  }

  it("is two round trips for a whole echo turn, in a session of any length", async () => {
    const store = openStore(redis.url);
    const sessionId = await aSession(store);
    const echo = async (turn: number): Promise<void> => {
      const lease = await begin(store, sessionId, `t${turn}`);
      await store.endTurn(lease, { frames: [done(lease, turn)], messages: [answer(lease)] });
    };
    await echo(1);
    const first = await commandsOf(async () => {
      for (let turn = 2; turn <= 101; turn++) await echo(turn);
    });
    const filling = Array.from({ length: 50 }, () => "x".repeat(1_000));
    for (let round = 0; round < 40; round++) {
      await command("RPUSH", `omnia:{${sessionId}}:messages`, ...filling);
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
      expect(calls["rpush"]).toBe(300);
      expect(calls["xadd"]).toBe(200);
    }
    const sum = (calls: Record<string, number>): number =>
      Object.values(calls).reduce((total, count) => total + count, 0);
    // The ring of message ids came round meanwhile, which costs one more HDEL a turn.
    expect(sum(later) - sum(first)).toBeLessThanOrEqual(100);
    await store.close();
  });

  it("goes on when Redis has forgotten the scripts", async () => {
    const store = openStore(redis.url);
    const sessionId = await aSession(store);
    await command("SCRIPT", "FLUSH");
    await Promise.all([store.find(sessionId), store.find(sessionId), store.history(sessionId)]);
    await aTurn(store, sessionId);
    await store.close();
  });

  it("does not follow more than a number of turns at once", async () => {
    const connect = (): RedisConnection =>
      new RedisConnection({ address: parseRedisURL(redis.url), clock: systemClock });
    const reader = new RedisFrameReader({ commands: raw, connect, clock: systemClock });
    for (let feed = 0; feed < MAX_FOLLOWERS; feed++)
      reader.open(`omnia:{${feed % 9}}:frames`, "0-0");
    expect(() => reader.open("omnia:{x}:frames", "0-0")).toThrow(StoreUnavailableError);
    await reader.close();
  });

  it("is one connection that waits, however many follow", async () => {
    const [writer, store] = [openStore(redis.url), openStore(redis.url)];
    const connections = async (): Promise<number> =>
      ((await command("CLIENT", "LIST")) as string).trim().split("\n").length;
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
    const stores = [openStore(redis.url), openStore(redis.url)] as const;
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
            await passTime(sessionId, TURN_LEASE_MS + 1);
            isLeased = false;
          } else if (action === "begin") {
            const begun = await store.beginTurn(sessionId, { turnId: `${at}`, userMessage: "?" });
            outcomes.push(
              begun.status === "started" ? `started after ${begun.lease.seqBefore}` : begun.status,
            );
            expected.push(isLeased ? "in-progress" : `started after ${seq}`);
            if (begun.status !== "started") continue;
            leases[replica] = begun.lease;
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
    const stores = [openStore(redis.url), openStore(redis.url)] as const;
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

describe("a Redis that fails", () => {
  it("makes everything unavailable, at once, and is found again when it is back with its data", async () => {
    await using server = await startRedis({ appendOnly: true });
    const store = openStore(server.url);
    const sessionId = await aSession(store);
    await aTurn(store, sessionId);
    const lease = await begin(store, sessionId, "t2");
    await store.appendFrames(lease, [chunk(lease, 3, "before")]);
    const followed = follow(store.frames(sessionId, 0, never));
    await followed.reaches(3);

    await server.kill();
    await expect(followed.ended).rejects.toThrow(StoreUnavailableError);
    await eventually(() => expect(store.check()).rejects.toThrow(StoreUnavailableError));
    const begun = performance.now();
    const frames = [chunk(lease, 4, "after")];
    for (const work of [
      () => store.find(sessionId),
      () => store.history(sessionId),
      () => store.create(newSessionId(randomBytes), {}),
      () => store.beginTurn(sessionId, { turnId: "t3", userMessage: "?" }),
      () => store.appendFrames(lease, frames),
      () => store.renewTurn(lease),
      () => store.endTurn(lease, { frames, messages: [] }),
      () => all(store.frames(sessionId, 0, never)),
      () => store.check(),
    ]) {
      await expect(work()).rejects.toThrow(StoreUnavailableError);
    }
    expect(performance.now() - begun).toBeLessThan(1_000);

    await server.start();
    await eventually(() => store.check());
    // The turn goes on where it was: nothing was lost, nothing is there twice.
    await store.appendFrames(lease, [chunk(lease, 3, "before"), ...frames]);
    await store.endTurn(lease, { frames: [done(lease, 5)], messages: [answer(lease)] });
    const kept = await all(store.frames(sessionId, 0, never));
    expect(kept.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
    expect(await store.history(sessionId)).toHaveLength(4);
    await store.close();
  });

  it("need not be there when the store is opened", async () => {
    await using server = await startRedis();
    await server.stop();
    const lines: [object, string][] = [];
    const log = logInto(lines);
    const store = await openSessionStore({
      type: "redis",
      url: server.url,
      ttlMs: TTL_MS,
      clock: systemClock,
      log,
    });
    await expect(store.check()).rejects.toThrow(
      "the session store is unavailable: nothing listens at its address (ECONNREFUSED)",
    );
    await expect(store.find("s")).rejects.toThrow(StoreUnavailableError);
    await server.start();
    await eventually(() => store.check());
    expect(await store.find("s")).toBeUndefined();
    expect(lines.map(([, message]) => message)).toEqual([
      "the session store is unavailable: nothing listens at its address (ECONNREFUSED)",
      "the session store is reachable again",
    ]);
    await store.close();
  });

  it("is left when it takes connections but says nothing", async () => {
    await using server = await startRedis();
    const store = openStore(server.url);
    await store.check();
    server.pause();
    const waiting = [store.check(), store.find("s"), aSession(store)];
    // Nor does what waits for it grow without end.
    const more = Array.from({ length: MAX_COMMANDS_IN_FLIGHT }, () => store.find("s"));
    await expect(more.at(-1)).rejects.toThrow("too much waits for it");
    const refused = await Promise.allSettled([...waiting, ...more]);
    for (const result of refused) {
      expect(result).toMatchObject({
        status: "rejected",
        reason: { name: "StoreUnavailableError" },
      });
    }
    server.resume();
    await eventually(() => store.check());
    await store.close();
  }, 30_000);

  it("may be anything else that listens there", async () => {
    const other = createServer((socket) => {
      socket.on("error", () => {});
      socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    const store = openStore(`redis://127.0.0.1:${(other.address() as AddressInfo).port}`);
    await expect(store.check()).rejects.toThrow(StoreUnavailableError);
    await store.close();
    other.close();
  });

  it("says that it is full as unavailable, and keeps what it has", async () => {
    await using server = await startRedis();
    const store = openStore(server.url);
    const sessionId = await aSession(store);
    await aTurn(store, sessionId);
    const admin = new RedisConnection({ address: parseRedisURL(server.url), clock: systemClock });
    await admin.execute(["CONFIG", "SET", "maxmemory", "1", "maxmemory-policy", "noeviction"]);
    await expect(begin(store, sessionId, "t2")).rejects.toThrow(
      "the session store is unavailable: it is out of memory",
    );
    await admin.execute(["CONFIG", "SET", "maxmemory", "0"]);
    expect(await store.history(sessionId)).toHaveLength(2);
    await begin(store, sessionId, "t2");
    await Promise.all([store.close(), admin.close()]);
  });

  it("says that it is a replica as unavailable", async () => {
    await using server = await startRedis({
      config: ["replicaof 127.0.0.1 1", "replica-read-only yes"],
    });
    const store = openStore(server.url);
    await expect(store.check()).rejects.toThrow(StoreUnavailableError);
    const admin = new RedisConnection({ address: parseRedisURL(server.url), clock: systemClock });
    await admin.execute(["REPLICAOF", "NO", "ONE"]);
    await eventually(() => store.check());
    await Promise.all([store.close(), admin.close()]);
  });
});

describe("the URL of a Redis", () => {
  it("gives a password, a user and a database", async () => {
    await using server = await startRedis({ password: PASSWORD });
    const store = openStore(`${server.url}/3`);
    const sessionId = await aSession(store);
    const admin = new RedisConnection({ address: parseRedisURL(server.url), clock: systemClock });
    expect(await admin.execute(["DBSIZE"])).toBe(0);
    const user = ["ACL", "SETUSER", "omnia/app@x", "on", `>${PASSWORD}!`];
    // Of what it may use: neither channels nor dangerous commands.
    await admin.execute([...user, "~omnia:*", "+@all", "-@dangerous"]);
    const name = encodeURIComponent("omnia/app@x");
    const secret = encodeURIComponent(`${PASSWORD}!`);
    const other = openStore(`redis://${name}:${secret}@127.0.0.1:${server.port}/3`);
    expect(await other.find(sessionId)).toEqual({ lastSeq: 0 });
    const lease = await begin(store, sessionId);
    const followed = follow(other.frames(sessionId, 0, never));
    await store.appendFrames(lease, [chunk(lease, 1, "x")]);
    await followed.reaches(1);
    await store.endTurn(lease, { frames: [done(lease, 2)], messages: [] });
    await followed.ended;
    expect(followed.seqs).toEqual([1, 2]);
    await Promise.all([store.close(), other.close(), admin.close()]);
  });

  it.each<[string, (port: number) => string, string]>([
    [
      "a wrong password",
      (port) => `redis://:hunter2@127.0.0.1:${port}`,
      "refuses the user name or password",
    ],
    [
      "a wrong user",
      (port) => `redis://bob:hunter2@127.0.0.1:${port}`,
      "refuses the user name or password",
    ],
    ["no password", (port) => `redis://127.0.0.1:${port}`, "asks for a password"],
    [
      "a database that is not there",
      (port) => `redis://:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/99`,
      "no database of the number",
    ],
  ])(
    "with %s is refused in words that show no secret, and tried again",
    async (_, urlOf, problem) => {
      await using server = await startRedis({ password: PASSWORD });
      const lines: [object, string][] = [];
      const store = await openSessionStore({
        type: "redis",
        url: urlOf(server.port),
        ttlMs: TTL_MS,
        clock: systemClock,
        log: logInto(lines),
      });
      const error = await store.find("s").catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(StoreUnavailableError);
      expect(String(error)).toContain(problem);
      for (const secret of ["hunter2", PASSWORD, encodeURIComponent(PASSWORD)]) {
        expect(inspect([error, lines], { depth: null, showHidden: true })).not.toContain(secret);
      }
      const admin = new RedisConnection({
        address: parseRedisURL(server.url),
        clock: systemClock,
      });
      await admin.execute(["CONFIG", "SET", "requirepass", "hunter2"]);
      if (problem.startsWith("refuses")) {
        await admin.execute(["ACL", "SETUSER", "bob", "on", ">hunter2", "~*", "+@all"]);
        await eventually(() => store.check());
      }
      await Promise.all([store.close(), admin.close()]);
    },
  );

  it("gives TLS, to a server whose certificate is trusted", async () => {
    await using server = await startRedis({ tls: true, password: PASSWORD });
    const ca = server.ca as string;
    const store = openStore(server.url, { ca });
    const sessionId = await aSession(store);
    await aTurn(store, sessionId);
    expect(await store.history(sessionId)).toHaveLength(2);

    const untrusting = openStore(server.url);
    await expect(untrusting.check()).rejects.toThrow(/certificate is not trusted/);
    const byAddress = openStore(server.url.replace("localhost", "127.0.0.1"), { ca });
    await byAddress.check();
    const plain = openStore(server.url.replace("rediss:", "redis:"));
    await expect(plain.check()).rejects.toThrow(/the connection was (cut|lost)/);
    const tlsToPlain = openStore(redis.url.replace("redis:", "rediss:"));
    await expect(tlsToPlain.check()).rejects.toThrow("it does not answer (does it speak TLS?)");
    for (const each of [store, untrusting, byAddress, plain, tlsToPlain]) await each.close();
  });

  it("gives TLS, to a server that only NODE_EXTRA_CA_CERTS trusts", async () => {
    await using server = await startRedis({ tls: true });
    const module = new URL("../../src/agent/sessions/open-session-store.ts", import.meta.url);
    const clock = new URL("../../src/observability/clock.ts", import.meta.url);
    const program = `
      import { openSessionStore } from ${JSON.stringify(module)};
      import { systemClock as clock } from ${JSON.stringify(clock)};
      const url = ${JSON.stringify(server.url)};
      const store = await openSessionStore({ type: "redis", url, ttlMs: 1000, clock });
      await store.check();
      await store.close();
    `;
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: join(server.folder, "server.crt") };
    const node = promisify(execFile);
    await node(process.execPath, ["--input-type=module", "--eval", program], { env });
  });

  it("that cannot be read is refused when the store is opened", async () => {
    const options = { type: "redis", ttlMs: TTL_MS, clock: systemClock } as const;
    for (const url of ["http://cache", "redis://:hunter2#@cache", ""]) {
      await expect(openSessionStore({ ...options, url })).rejects.toThrow(InvalidStoreURLError);
    }
    await expect(openSessionStore(options)).rejects.toThrow(InvalidStoreURLError);
  });
});

const never = new AbortController().signal;

function logInto(lines: [object, string][]) {
  const write = (fields: object, message: string): void => void lines.push([fields, message]);
  const log = { debug: write, info: write, warn: write, error: write, child: () => log };
  return log;
}
