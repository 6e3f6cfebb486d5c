/** The session store on Redis as production has it: on a cluster, and behind Sentinels. */
import { setTimeout as realTime } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import {
  all,
  aSession,
  aTurn,
  begin,
  chunk,
  endWell,
  never,
  OWNER,
  seqs,
  upTo,
} from "../../../src/agent/sessions/contract/turns.ts";
import { slotOfKey } from "../../../src/agent/sessions/redis/cluster-slot.ts";
import { describeSessionStore } from "../../../src/agent/sessions/contract/session-store.contract.ts";
import {
  StoreUnavailableError,
  type SessionStore,
} from "../../../src/agent/sessions/session-store.ts";
import {
  anAgent,
  eventually,
  openRedisStore,
  RedisProbe,
} from "../../support/redis/redis-sessions.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import { startRedisCluster, startWatchedRedis } from "../../support/redis/redis-topologies.ts";

const PASSWORD = "p@ss w/rd%:#?";

describe("a Redis Cluster of three primaries", () => {
  const cluster = forAllTests(
    () => startRedisCluster({ password: PASSWORD }),
    (cluster) => cluster[Symbol.asyncDispose](),
  );

  describeSessionStore("RedisSessionStore on a cluster", async (options) => {
    const agent = anAgent();
    const store = openRedisStore(cluster().url, { ...options, agent });
    const other = openRedisStore(cluster().url, { ...options, agent });
    const probe = new RedisProbe(cluster().url);
    return {
      store,
      other,
      passTime: (sessionId, ms) => probe.passTime(sessionId, ms),
      pause: () => realTime(5),
      async dispose() {
        await Promise.all([store.close(), other.close(), probe.close()]);
      },
    };
  });

  it("knows the slot of a key as the cluster does", async () => {
    for (const key of ["a", "omnia:{abc}:frames", "{}x", "x{y}{z}", "{x", "Grüße"]) {
      expect(slotOfKey(key)).toBe(await cluster().command(0, "CLUSTER", "KEYSLOT", key));
    }
  });

  it("serves sessions of all nodes from a URL that names one of them", async () => {
    const url = cluster().url.slice(0, cluster().url.indexOf(","));
    const store = openRedisStore(url);
    const sessionIds = await Promise.all(Array.from({ length: 30 }, () => aSession(store)));
    await Promise.all(sessionIds.map((id) => aTurn(store, id, "t1", 3)));
    for (const id of sessionIds) expect(await seqs(store.frames(id, 0, never))).toEqual(upTo(4));
    const owners = new Set(
      sessionIds.map((id) => Math.floor((slotOfKey(`omnia:{${id}}:session`) * 3) / 16_384)),
    );
    expect(owners.size).toBe(3);
    await store.close();
  });

  it("goes on while a slot moves to another node", async () => {
    const store = openRedisStore(cluster().url);
    const sessionId = await aSession(store);
    const lease = await begin(store, sessionId);
    await store.appendFrames(lease, [chunk(lease, 1, "a")]);
    const slot = slotOfKey(`omnia:{${sessionId}}:session`);
    const from = Math.floor((slot * 3) / 16_384);
    const to = (from + 1) % 3;
    const ids = await Promise.all(
      [0, 1, 2].map((node) => cluster().command(node, "CLUSTER", "MYID")),
    );
    await cluster().command(to, "CLUSTER", "SETSLOT", String(slot), "IMPORTING", String(ids[from]));
    await cluster().command(from, "CLUSTER", "SETSLOT", String(slot), "MIGRATING", String(ids[to]));
    const keys = (await cluster().command(
      from,
      "CLUSTER",
      "GETKEYSINSLOT",
      String(slot),
      "100",
    )) as string[];
    const { port } = cluster().nodes[to] ?? {};
    const migrate = [
      "MIGRATE",
      "127.0.0.1",
      String(port),
      "",
      "0",
      "5000",
      "AUTH",
      PASSWORD,
      "KEYS",
    ];
    await cluster().command(from, ...migrate, ...keys);
    // The keys are there, and the slot is not yet.
    const written = store.appendFrames(lease, [chunk(lease, 2, "b")]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (const node of [to, from, 3 - from - to]) {
      await cluster().command(node, "CLUSTER", "SETSLOT", String(slot), "NODE", String(ids[to]));
    }
    await written;
    await store.appendFrames(lease, [chunk(lease, 3, "c")]);
    await endWell(store, lease, 4);
    expect(await seqs(store.frames(sessionId, 0, never))).toEqual(upTo(4));
    await store.close();
  });

  it("is unavailable for the sessions of a node that is lost, and has them again when it is back", async () => {
    const store = openRedisStore(cluster().url);
    const sessionIds = await Promise.all(Array.from({ length: 12 }, () => aSession(store)));
    const [lost] = cluster().nodes;
    await lost?.kill();
    const ofLost = sessionIds.filter((id) => slotOfKey(`{${id}}`) < 16_384 / 3 - 1);
    expect(ofLost.length).toBeGreaterThan(0);
    for (const id of ofLost)
      await expect(store.find(id, OWNER)).rejects.toThrow(StoreUnavailableError);
    await eventually(() => expect(store.check()).rejects.toThrow(StoreUnavailableError));
    await lost?.start();
    await eventually(async () => {
      for (const id of sessionIds) expect(await store.find(id, OWNER)).toEqual({ lastSeq: 0 });
    });
    await store.check();
    await store.close();
  });
});

describe("a Redis that Sentinels watch over", () => {
  it("is followed to the replica that takes its place, and sessions go on there", async () => {
    await using redis = await startWatchedRedis({ password: PASSWORD });
    const store: SessionStore = openRedisStore(redis.url);
    const sessionId = await aSession(store);
    await aTurn(store, sessionId, "t1", 3);
    const probe = new RedisProbe(redis.replica.url);
    await eventually(async () => expect(await probe.keysOf(sessionId)).not.toEqual([]));
    await redis.primary.kill();
    await expect(store.find(sessionId, OWNER)).rejects.toThrow(StoreUnavailableError);
    await eventually(() => store.check());
    expect(await store.find(sessionId, OWNER)).toEqual({ lastSeq: 4 });
    await aTurn(store, sessionId, "t2");
    expect(await seqs(store.frames(sessionId, 0, never))).toEqual(upTo(5));
    // The one before comes back as a replica of the other, and is left alone.
    await redis.primary.start();
    await aTurn(store, sessionId, "t3");
    expect(await all(store.frames(sessionId, 5, never))).toHaveLength(1);
    await Promise.all([store.close(), probe.close()]);
  });

  it("is found while one Sentinel is left, and says what is the matter when none is", async () => {
    await using redis = await startWatchedRedis();
    await Promise.all(redis.sentinels.slice(0, 2).map((sentinel) => sentinel.kill()));
    const store = openRedisStore(redis.url);
    await store.check();
    await store.close();
    const misnamed = openRedisStore(redis.url.replace("/sessions", "/other"));
    await expect(misnamed.check()).rejects.toThrow("watch no primary of the name in its URL");
    await misnamed.close();
    await redis.sentinels[2]?.kill();
    const alone = openRedisStore(redis.url);
    await expect(alone.check()).rejects.toThrow(/none of its Sentinels answers/);
    await alone.close();
  });
});
