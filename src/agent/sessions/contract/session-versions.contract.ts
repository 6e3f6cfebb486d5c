/** Tests of the contract: the version of the prompt pack that a session has. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PromptVersions, SessionStore } from "../session-store.ts";
import { TTL_MS, type ContractSubject, type OpenSubject } from "./subject.ts";
import { aSession, endWell, OWNER } from "./turns.ts";

export function describeSessionVersions(open: OpenSubject): void {
  describe("the version of the prompt pack", () => {
    let subject: ContractSubject;
    let store: SessionStore;
    let other: SessionStore;
    beforeEach(async () => {
      subject = await open({ ttlMs: TTL_MS });
      ({ store, other } = subject);
    });
    afterEach(() => subject.dispose());

    async function versionOf(
      from: SessionStore,
      sessionId: string,
      turnId: string,
      promptVersions?: PromptVersions,
    ): Promise<string | undefined> {
      const turn = { turnId, userMessage: "hello", promptVersions };
      const begun = await from.beginTurn(sessionId, OWNER, turn);
      if (begun.status !== "started") throw new Error(begun.status);
      expect(await from.beginTurn(sessionId, OWNER, turn)).toEqual(begun);
      await endWell(from, begun.lease, 1);
      return begun.promptVersion;
    }

    it("is that of the first turn, on every replica, as long as it may be kept", async () => {
      const sessionId = await aSession(store);
      expect(await versionOf(store, sessionId, "t1", { fresh: "one", kept: ["one"] })).toBe("one");
      const kept = ["two", "one"];
      expect(await versionOf(other, sessionId, "t2", { fresh: "two", kept })).toBe("one");
      expect(await versionOf(store, sessionId, "t3", { fresh: "two", kept })).toBe("one");
      const elsewhere = await aSession(store);
      expect(await versionOf(store, elsewhere, "t1", { fresh: "two", kept })).toBe("two");
    });

    it("is the fresh one from then on when it may not be kept", async () => {
      const sessionId = await aSession(store);
      await versionOf(store, sessionId, "t1", { fresh: "one", kept: [] });
      expect(await versionOf(store, sessionId, "t2", { fresh: "two", kept: [] })).toBe("two");
      const kept = ["two", "one"];
      expect(await versionOf(other, sessionId, "t3", { fresh: "one", kept })).toBe("two");
    });

    it("is none where a turn needs none, and is not forgotten by that", async () => {
      const sessionId = await aSession(store);
      expect(await versionOf(store, sessionId, "t1")).toBeUndefined();
      await versionOf(store, sessionId, "t2", { fresh: "one", kept: [] });
      await versionOf(store, sessionId, "t3");
      expect(await versionOf(store, sessionId, "t4", { fresh: "two", kept: ["one"] })).toBe("one");
    });
  });
}
