import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { CurrentStore } from "./current-store.ts";
import { MemorySessionStore } from "./memory/memory-session-store.ts";
import { StoreUnavailableError } from "./session-store.ts";

const aStore = () => new MemorySessionStore({ ttlMs: 1_000, clock: new ManualClock() });
const isOpen = (store: MemorySessionStore) =>
  store.check().then(
    () => true,
    () => false,
  );

describe("CurrentStore", () => {
  it("is unavailable until there is a store", () => {
    expect(() => new CurrentStore(() => {}).use()).toThrow(StoreUnavailableError);
  });

  it("keeps a store that was replaced open for those who use it, and no longer", async () => {
    const stores = new CurrentStore(() => {});
    const [first, second] = [aStore(), aStore()];
    stores.replace(first);
    const use = stores.use();
    const releaseShare = use.share();
    stores.replace(second);
    expect(stores.peek()).toBe(second);
    use.release();
    expect(await isOpen(first)).toBe(true);
    releaseShare();
    expect(await isOpen(first)).toBe(false);
    await stores.close();
    expect(await isOpen(second)).toBe(false);
  });

  it("closes at once what nobody uses", async () => {
    const stores = new CurrentStore(() => {});
    const [first, second] = [aStore(), aStore()];
    stores.replace(first);
    stores.use().release();
    stores.replace(second);
    expect(await isOpen(first)).toBe(false);
    await stores.close();
  });

  it("tells of a store that did not close, and goes on", async () => {
    const errors: unknown[] = [];
    const stores = new CurrentStore((error) => errors.push(error));
    const broken = aStore();
    broken.close = () => Promise.reject(new Error("stuck"));
    stores.replace(broken);
    await stores.close();
    expect(errors).toEqual([new Error("stuck")]);
  });
});
