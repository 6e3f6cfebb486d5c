import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { anAgentConfig } from "../../../test/support/builders/agent-config.ts";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { createLog } from "../../observability/log.ts";
import { CurrentStore } from "../sessions/current-store.ts";
import { SessionStoreSetting } from "./session-store-setting.ts";
import { aSession, CLIENT, OWNER } from "../sessions/contract/turns.ts";
import type { SessionStore } from "../sessions/session-store.ts";

const CONFIG = anAgentConfig({
  session: { type: "redis", ttlMs: 60_000, storeURLFile: "secrets/session-store/url" },
});

describe("The session store that a config asks for", () => {
  it("keeps its sessions when their ttl changes, and keeps them as long as that says", async () => {
    const clock = new ManualClock();
    const stores = new CurrentStore(() => {});
    const setting = new SessionStoreSetting({
      stores,
      readSecret: () => Promise.reject(new Error("needs no secret")),
      clock,
      log: createLog({ level: "silent" }),
    });
    const withTtl = (ttlMs: number) => anAgentConfig({ session: { type: "memory", ttlMs } });

    await setting.apply(withTtl(60_000));
    const store = stores.peek();
    await store?.create("AAAAAAAAAAAAAAAAAAAAAAAA", CLIENT);
    await setting.apply(withTtl(5_000));
    expect(stores.peek()).toBe(store);
    expect(await store?.find("AAAAAAAAAAAAAAAAAAAAAAAA", OWNER)).toEqual({ lastSeq: 0 });
    await clock.advance(6_000);
    expect(store?.activeSessions()).toBe(0);

    await setting.close();
    await stores.close();
  });

  it("takes what one client may hold from the limits, also while it is open", async () => {
    const clock = new ManualClock();
    const stores = new CurrentStore(() => {});
    const setting = new SessionStoreSetting({
      stores,
      readSecret: () => Promise.reject(new Error("needs no secret")),
      clock,
      log: createLog({ level: "silent" }),
    });
    const session = { type: "memory", ttlMs: 60_000 } as const;
    const withLimit = (maxSessionBytesPerClient: number) =>
      anAgentConfig({ session, limits: { maxSessionBytesPerClient } });
    await setting.apply(withLimit(1024 * 1024));
    const store = stores.peek() as SessionStore;
    const say = async (): Promise<string> => {
      const sessionId = await aSession(store);
      const turn = { turnId: sessionId, userMessage: "x".repeat(600 * 1024) };
      const begun = await store.beginTurn(sessionId, OWNER, turn);
      if (begun.status !== "started") throw new Error(begun.status);
      await store.endTurn(begun.lease, { frames: [], messages: [] });
      return sessionId;
    };
    const first = await say();
    const second = await say();
    expect(await store.find(first, OWNER)).toBeUndefined();
    await setting.apply(withLimit(2 * 1024 * 1024));
    expect(stores.peek()).toBe(store);
    await say();
    expect(await store.find(second, OWNER)).toBeDefined();
    await setting.close();
    await stores.close();
  });

  it("is complained about once for as long as it cannot be opened for the same reason", async () => {
    const log: string[] = [];
    let problem = "no secret file";
    const setting = new SessionStoreSetting({
      stores: new CurrentStore(() => {}),
      readSecret: () => Promise.reject(new Error(problem)),
      clock: new ManualClock(),
      log: createLog({
        destination: new Writable({
          write(line, _encoding, done) {
            log.push(String(line));
            done();
          },
        }),
      }),
    });

    for (let attempt = 0; attempt < 3; attempt++) await setting.apply(CONFIG);
    expect(log).toHaveLength(1);
    expect(setting.problem).toContain("no secret file");

    problem = "an empty secret file";
    await setting.apply(CONFIG);
    expect(log).toHaveLength(2);
    expect(setting.problem).toContain("an empty secret file");
    await setting.close();
  });

  it("is opened again when its authorities are rotated, and needs none", async () => {
    const stores = new CurrentStore(() => {});
    const files = new Map([["secrets/session-store/url", "rediss://127.0.0.1:1"]]);
    const setting = new SessionStoreSetting({
      stores,
      readSecret: async (path) => {
        const text = files.get(path);
        if (text !== undefined) return text;
        const cause = Object.assign(new Error("missing"), { code: "ENOENT" });
        throw new Error(`no ${path}`, { cause });
      },
      clock: new ManualClock(),
      log: createLog({ level: "silent" }),
    });
    const storeCAFile = "secrets/session-store/ca.crt";
    const withCA = { ...CONFIG, session: { ...CONFIG.session, storeCAFile } };
    await setting.apply(withCA);
    const first = stores.peek();
    expect(setting.problem).toBeUndefined();
    await setting.apply(withCA);
    expect(stores.peek()).toBe(first);
    files.set(storeCAFile, "a certificate");
    await setting.apply(withCA);
    expect(stores.peek()).not.toBe(first);
    await setting.close();
    await stores.close();
  });
});
