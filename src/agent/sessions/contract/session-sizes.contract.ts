/** How much every session store keeps of one session, and of one holder. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MAX_HISTORY_BYTES_PER_SESSION, type SessionStore } from "../session-store.ts";
import { TTL_MS, type ContractSubject, type OpenSubject } from "./subject.ts";
import { answer, aSession, begin, done, endWell, OWNER } from "./turns.ts";

const MEBIBYTE = 1024 * 1024;
const text = "x".repeat(MEBIBYTE / 2);
const clientOf = (holder: string) => ({ owner: OWNER, holder });

/** A turn of which everything is `said`: the message, the answer, and the frame with it. */
async function echo(
  store: SessionStore,
  sessionId: string,
  turnId: string,
  said: string,
  answers: readonly string[] = [said],
): Promise<void> {
  const begun = await store.beginTurn(sessionId, OWNER, { turnId, userMessage: said });
  if (begun.status !== "started") throw new Error(begun.status);
  const { lease } = begun;
  await store.endTurn(lease, {
    frames: [{ ...done(lease, lease.seqBefore + 1), content: said }],
    messages: answers.map((content) => ({ role: "assistant", turnId, content })),
  });
}

export function describeSessionSizes(open: OpenSubject): void {
  describe("what is kept", () => {
    let subject: ContractSubject;
    let store: SessionStore;
    let other: SessionStore;

    beforeEach(async () => {
      subject = await open({ ttlMs: TTL_MS });
      ({ store, other } = subject);
    });
    afterEach(() => subject.dispose());

    const turnsOf = async (sessionId: string) =>
      (await other.history(sessionId)).map(({ turnId }) => turnId);

    it("of a session are its newest turns, each as a whole, up to a limit", async () => {
      const sessionId = await aSession(store);
      const answers = [text, text, "and this"];
      for (let turn = 1; turn <= 9; turn++) await echo(store, sessionId, `t${turn}`, text, answers);
      const fit = Math.floor(MAX_HISTORY_BYTES_PER_SESSION / (3 * text.length + 1_000));
      const kept = Array.from({ length: fit }, (_, at) => `t${9 - fit + 1 + at}`);
      expect(await turnsOf(sessionId)).toEqual(kept.flatMap((id) => [id, id, id, id]));
      expect((await store.history(sessionId))[0]).toMatchObject({ role: "user" });
      expect(await store.find(sessionId, OWNER)).toEqual({ lastSeq: 9 });
    });

    it("of a session is its newest turn, whatever its size, and little ones after it", async () => {
      const sessionId = await aSession(store);
      for (let turn = 1; turn <= 100; turn++) await echo(store, sessionId, `t${turn}`, "little");
      const large = Array.from({ length: 20 }, () => text);
      await echo(store, sessionId, "large", text, large);
      expect(await turnsOf(sessionId)).toEqual(Array.from({ length: 21 }, () => "large"));
      await echo(store, sessionId, "next", "little");
      expect(await turnsOf(sessionId)).toEqual(["next", "next"]);
      const lease = await begin(store, sessionId, "last");
      await store.withdrawTurn(sessionId, { turnId: "last" });
      expect(await turnsOf(sessionId)).toEqual(["next", "next"]);
      await expect(endWell(store, lease, 1)).resolves.toBeUndefined();
    });

    it("of a client is what it used last, past a limit, and nothing of others goes", async () => {
      const maxBytes = 8 * MEBIBYTE;
      for (const each of [store, other]) each.setMaxBytesPerHolder(maxBytes);
      const small: string[] = [];
      for (let at = 0; at < 10; at++) {
        const sessionId = await aSession(store, clientOf(`small ${at}`));
        await echo(store, sessionId, "t1", "hello");
        small.push(sessionId);
      }
      const usual = await aSession(store, clientOf("big"));
      await echo(store, usual, "t1", "hello");
      const running = await aSession(store, clientOf("big"));
      const lease = await begin(store, running);
      const big: string[] = [];
      for (let at = 0; at < 30; at++) {
        const sessionId = await aSession(store, clientOf("big"));
        await echo(at % 2 === 0 ? store : other, sessionId, "t1", text);
        big.push(sessionId);
      }

      const kept = async (sessionIds: readonly string[]) => {
        const lengths = await Promise.all(
          sessionIds.map(async (sessionId) => (await store.history(sessionId)).length),
        );
        return lengths.filter((length) => length > 0).length;
      };
      // Each of them takes three parts. A store that counts for many replicas may be late by as much as each has not told.
      const fit = maxBytes / (3 * text.length);
      await vi.waitFor(async () => expect(await kept(big)).toBeLessThanOrEqual(fit + 3), {
        timeout: 10_000,
      });
      expect(await kept(big)).toBeGreaterThanOrEqual(fit - 3);
      expect(await kept(big.slice(-2))).toBe(2);
      expect(await kept([...small, usual])).toBe(11);
      await store.endTurn(lease, { frames: [done(lease, 1)], messages: [answer(lease)] });
      expect(await kept([running])).toBe(1);
    });
  });
}
