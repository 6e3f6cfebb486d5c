import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { inspect, promisify } from "node:util";
import { describe, expect, it } from "vitest";
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
import {
  InvalidStoreURLError,
  openSessionStore,
} from "../../../src/agent/settings/open-session-store.ts";
import { MAX_COMMANDS_IN_FLIGHT } from "../../../src/agent/sessions/redis/client.ts";
import { newSessionId } from "../../../src/agent/sessions/session-id.ts";
import { StoreUnavailableError } from "../../../src/agent/sessions/session-store.ts";
import { systemClock } from "../../../src/time/clock.ts";
import {
  anAgent,
  eventually,
  openRedisStore,
  REDIS_TTL_MS,
  RedisProbe,
} from "../../support/redis/redis-sessions.ts";
import { startRedis } from "../../support/redis/redis.ts";
import { timeFor } from "../../support/processes/busy-machine.ts";

const PASSWORD = "p@ss w/rd%:#?";

describe("a Redis that fails", () => {
  it("makes everything unavailable, at once, and is found again when it is back with its data", async () => {
    await using server = await startRedis({ appendOnly: true });
    const store = openRedisStore(server.url);
    const sessionId = await aSession(store);
    await aTurn(store, sessionId, "t1", 1);
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
      () => store.find(sessionId, OWNER),
      () => store.history(sessionId),
      () => store.create(newSessionId(randomBytes), CLIENT),
      () => store.beginTurn(sessionId, OWNER, { turnId: "t3", userMessage: "?" }),
      () => store.appendFrames(lease, frames),
      () => store.renewTurn(lease),
      () => store.endTurn(lease, { frames, messages: [] }),
      () => all(store.frames(sessionId, 0, never)),
      () => store.check(),
    ]) {
      await expect(work()).rejects.toThrow(StoreUnavailableError);
    }
    expect(performance.now() - begun).toBeLessThan(timeFor(1_000));

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
      agent: anAgent(),
      type: "redis",
      url: server.url,
      ttlMs: REDIS_TTL_MS,
      clock: systemClock,
      log,
    });
    await expect(store.check()).rejects.toThrow(
      "the session store is unavailable: nothing listens at its address (ECONNREFUSED)",
    );
    await expect(store.find("s", OWNER)).rejects.toThrow(StoreUnavailableError);
    await server.start();
    await eventually(() => store.check());
    expect(await store.find("s", OWNER)).toBeUndefined();
    expect(lines.map(([, message]) => message)).toEqual([
      "the session store is unavailable: nothing listens at its address (ECONNREFUSED)",
      "the session store is reachable again",
    ]);
    await store.close();
  });

  it("is left when it takes connections but says nothing", async () => {
    await using server = await startRedis();
    const store = openRedisStore(server.url);
    await store.check();
    server.pause();
    const waiting = [store.check(), store.find("s", OWNER), aSession(store)];
    // What waits for it does not grow without end.
    const more = Array.from({ length: MAX_COMMANDS_IN_FLIGHT }, () => store.find("s", OWNER));
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
  });

  it("may be anything else that listens there", async () => {
    const other = createServer((socket) => {
      socket.on("error", () => {});
      socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    const store = openRedisStore(`redis://127.0.0.1:${(other.address() as AddressInfo).port}`);
    await expect(store.check()).rejects.toThrow(StoreUnavailableError);
    await store.close();
    other.close();
  });

  it("says that it is full as unavailable, and keeps what it has", async () => {
    await using server = await startRedis();
    const store = openRedisStore(server.url);
    const sessionId = await aSession(store);
    await aTurn(store, sessionId);
    const admin = new RedisProbe(server.url);
    await admin.command("CONFIG", "SET", "maxmemory", "1", "maxmemory-policy", "noeviction");
    await expect(begin(store, sessionId, "t2")).rejects.toThrow(
      "the session store is unavailable: it is out of memory",
    );
    await admin.command("CONFIG", "SET", "maxmemory", "0");
    expect(await store.history(sessionId)).toHaveLength(2);
    await begin(store, sessionId, "t2");
    await Promise.all([store.close(), admin.close()]);
  });

  it("says that it is a replica as unavailable", async () => {
    await using server = await startRedis({
      config: ["replicaof 127.0.0.1 1", "replica-read-only yes"],
    });
    const store = openRedisStore(server.url);
    await expect(store.check()).rejects.toThrow(StoreUnavailableError);
    const admin = new RedisProbe(server.url);
    await admin.command("REPLICAOF", "NO", "ONE");
    await eventually(() => store.check());
    await Promise.all([store.close(), admin.close()]);
  });
});

describe("the URL of a Redis", () => {
  it("gives a password, a user and a database", async () => {
    await using server = await startRedis({ password: PASSWORD });
    const store = openRedisStore(`${server.url}/3`);
    const sessionId = await aSession(store);
    const admin = new RedisProbe(server.url);
    expect(await admin.command("DBSIZE")).toBe(0);
    const user = ["ACL", "SETUSER", "omnia/app@x", "on", `>${PASSWORD}!`];
    // This user may use neither channels nor dangerous commands.
    await admin.command(...user, "~omnia:*", "+@all", "-@dangerous");
    const name = encodeURIComponent("omnia/app@x");
    const secret = encodeURIComponent(`${PASSWORD}!`);
    const other = openRedisStore(`redis://${name}:${secret}@127.0.0.1:${server.port}/3`);
    expect(await other.find(sessionId, OWNER)).toEqual({ lastSeq: 0 });
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
        agent: anAgent(),
        type: "redis",
        url: urlOf(server.port),
        ttlMs: REDIS_TTL_MS,
        clock: systemClock,
        log: logInto(lines),
      });
      const error = await store.find("s", OWNER).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(StoreUnavailableError);
      expect(String(error)).toContain(problem);
      for (const secret of ["hunter2", PASSWORD, encodeURIComponent(PASSWORD)]) {
        expect(inspect([error, lines], { depth: null, showHidden: true })).not.toContain(secret);
      }
      const admin = new RedisProbe(server.url);
      await admin.command("CONFIG", "SET", "requirepass", "hunter2");
      if (problem.startsWith("refuses")) {
        await admin.command("ACL", "SETUSER", "bob", "on", ">hunter2", "~*", "+@all");
        await eventually(() => store.check());
      }
      await Promise.all([store.close(), admin.close()]);
    },
  );

  it("gives TLS, to a server whose certificate is trusted", async () => {
    await using server = await startRedis({ tls: true, password: PASSWORD });
    const ca = server.ca as string;
    const store = openRedisStore(server.url, { ca });
    const sessionId = await aSession(store);
    await aTurn(store, sessionId);
    expect(await store.history(sessionId)).toHaveLength(2);

    const untrusting = openRedisStore(server.url);
    await expect(untrusting.check()).rejects.toThrow(/certificate is not trusted/);
    const byAddress = openRedisStore(server.url.replace("localhost", "127.0.0.1"), { ca });
    await byAddress.check();
    const plain = openRedisStore(server.url.replace("rediss:", "redis:"));
    await expect(plain.check()).rejects.toThrow(/the connection was (cut|lost)/);
    await using plainServer = await startRedis();
    const tlsToPlain = openRedisStore(plainServer.url.replace("redis:", "rediss:"));
    await expect(tlsToPlain.check()).rejects.toThrow("it does not answer (does it speak TLS?)");
    for (const each of [store, untrusting, byAddress, plain, tlsToPlain]) await each.close();
  });

  it("gives TLS, to a server that only NODE_EXTRA_CA_CERTS trusts", async () => {
    await using server = await startRedis({ tls: true });
    const module = new URL("../../../src/agent/settings/open-session-store.ts", import.meta.url);
    const clock = new URL("../../../src/time/clock.ts", import.meta.url);
    const program = `
      import { openSessionStore } from ${JSON.stringify(module)};
      import { systemClock as clock } from ${JSON.stringify(clock)};
      const url = ${JSON.stringify(server.url)};
      const agent = { namespace: "default", name: "bot" };
      const store = await openSessionStore({ agent, type: "redis", url, ttlMs: 1000, clock });
      await store.check();
      await store.close();
    `;
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: join(server.folder, "server.crt") };
    const node = promisify(execFile);
    await node(process.execPath, ["--input-type=module", "--eval", program], { env });
  });

  it("that cannot be read is refused when the store is opened", async () => {
    const options = {
      agent: anAgent(),
      type: "redis",
      ttlMs: REDIS_TTL_MS,
      clock: systemClock,
    } as const;
    for (const url of ["http://cache", "redis://:hunter2#@cache", ""]) {
      await expect(openSessionStore({ ...options, url })).rejects.toThrow(InvalidStoreURLError);
    }
    await expect(openSessionStore(options)).rejects.toThrow(InvalidStoreURLError);
  });
});

function logInto(lines: [object, string][]) {
  const write = (fields: object, message: string): void => void lines.push([fields, message]);
  const log = {
    debug: write,
    info: write,
    record: write,
    warn: write,
    error: write,
    child: () => log,
  };
  return log;
}
