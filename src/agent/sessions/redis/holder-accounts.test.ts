import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { HolderAccounts, MAX_NOTED_BYTES, MAX_NOTED_SESSIONS } from "./holder-accounts.ts";

/** Accounts whose store keeps what it is told, and wants these sessions to go. */
function anAccounting({ leaving = [] as string[], running = [] as string[] } = {}) {
  const written: [string, Record<string, number | undefined>][] = [];
  const removed: string[] = [];
  const state = { error: undefined as Error | undefined };
  const accounts = new HolderAccounts({
    write: async (holder, shares) => {
      if (state.error !== undefined) throw state.error;
      written.push([
        holder,
        Object.fromEntries([...shares].map(([id, share]) => [id, share?.size])),
      ]);
      return leaving.splice(0);
    },
    remove: async (sessionId) => {
      if (running.includes(sessionId)) return false;
      removed.push(sessionId);
      return true;
    },
    log: undefined,
  });
  return { accounts, written, removed, state };
}

const shareOf = (holder: string, size: number) => ({ holder, size, fence: 1 });

describe("HolderAccounts", () => {
  it("writes nothing of clients who send little", async () => {
    const { accounts, written } = anAccounting();
    for (let turn = 0; turn < 1_000; turn++) {
      for (let client = 0; client < 10; client++)
        accounts.note(`session ${client}`, shareOf(`client ${client}`, 400 * turn), 400);
    }
    await setImmediate();
    expect(written).toEqual([]);
  });

  it("writes what was added to all sessions of a holder once it is much", async () => {
    const { accounts, written } = anAccounting();
    accounts.note("one", shareOf("ann", 2_000), 2_000);
    accounts.note("another", shareOf("ben", 3_000), 3_000);
    accounts.note("two", shareOf("ann", MAX_NOTED_BYTES), MAX_NOTED_BYTES);
    await setImmediate();
    expect(written).toEqual([["ann", { one: 2_000, two: MAX_NOTED_BYTES }]]);
  });

  it("writes when a holder uses many sessions, even if nothing is added", async () => {
    const { accounts, written } = anAccounting();
    for (let at = 0; at < MAX_NOTED_SESSIONS; at++)
      accounts.note(`session ${at}`, shareOf("ann", 1), 0);
    await setImmediate();
    expect(written).toHaveLength(1);
  });

  it("removes what is to go, and writes that down; what runs stays", async () => {
    const accounting = anAccounting({ leaving: ["old", "busy", "older"], running: ["busy"] });
    const { accounts, written, removed } = accounting;
    accounts.note("new", shareOf("ann", MAX_NOTED_BYTES), MAX_NOTED_BYTES);
    await setImmediate();
    expect(removed).toEqual(["old", "older"]);
    expect(written.at(-1)).toEqual(["ann", { old: undefined, older: undefined }]);
  });

  it("goes on after the store was away, and is silent once it is closed", async () => {
    const { accounts, written, state } = anAccounting();
    const noteMuch = () => accounts.note("one", shareOf("ann", MAX_NOTED_BYTES), MAX_NOTED_BYTES);
    state.error = new Error("away");
    noteMuch();
    await setImmediate();
    state.error = undefined;
    noteMuch();
    await setImmediate();
    expect(written).toHaveLength(1);
    accounts.close();
    noteMuch();
    await setImmediate();
    expect(written).toHaveLength(1);
  });
});
