import { afterEach, describe, expect, it, vi } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { requestPriority } from "../client/request-priority.ts";
import { Cache } from "../watch/cache.ts";
import { Controller, type Reconcile, TerminalError } from "./controller.ts";
import type { KubernetesObject } from "../client/object.ts";
import { FIRST_RETRY_MS } from "./work-queue.ts";

const stop: AbortController[] = [];
afterEach(() => {
  for (const controller of stop.splice(0)) controller.abort();
});

function aController(reconcile: Reconcile, options: { workers?: number; resyncMs?: number } = {}) {
  const clock = new ManualClock();
  const cache = new Cache<KubernetesObject>();
  const outcomes: string[] = [];
  const controller = new Controller({
    name: "test",
    clock,
    reconcile,
    ...options,
    onReconciled: ({ key, outcome }) => outcomes.push(`${key} ${outcome}`),
  }).owns(cache);
  const ended = new AbortController();
  stop.push(ended);
  const running = controller.run(ended.signal);
  return { clock, cache, outcomes, controller, running, end: () => ended.abort() };
}

const anObject = (name: string, resourceVersion = "1"): KubernetesObject => ({
  metadata: { name, uid: name, resourceVersion },
});

describe("Controller", () => {
  it("a key that fails is tried again after its backoff, and one that succeeds is left alone", async () => {
    let failing = true;
    const { clock, cache, outcomes } = aController(async () => {
      if (failing) throw new Error("not yet");
    });
    cache.set(anObject("a"));
    await vi.waitFor(() => expect(outcomes).toEqual(["a error"]));
    failing = false;
    await clock.advance(FIRST_RETRY_MS);
    await vi.waitFor(() => expect(outcomes).toEqual(["a error", "a success"]));
    expect(clock.pendingTimers).toBe(0);
  });

  it("a terminal error waits for the object to change", async () => {
    const { clock, cache, outcomes } = aController(async () => {
      throw new TerminalError("cannot be");
    });
    cache.set(anObject("a"));
    await vi.waitFor(() => expect(outcomes).toEqual(["a terminal_error"]));
    expect(clock.pendingTimers).toBe(0);
    cache.set(anObject("a", "2"));
    await vi.waitFor(() => expect(outcomes).toHaveLength(2));
  });

  it("a result may ask for another look later", async () => {
    const { clock, cache, outcomes } = aController(async () => ({ requeueAfterMs: 1_000 }));
    cache.set(anObject("a"));
    await vi.waitFor(() => expect(outcomes).toEqual(["a requeue_after"]));
    await clock.advance(1_000);
    await vi.waitFor(() => expect(outcomes).toHaveLength(2));
  });

  it("a change that comes while the key is worked on is looked at afterwards, never at the same time", async () => {
    const gates: (() => void)[] = [];
    let atOnce = 0;
    const { cache, outcomes } = aController(async () => {
      atOnce += 1;
      expect(atOnce).toBe(1);
      await new Promise<void>((resolve) => gates.push(resolve));
      atOnce -= 1;
    });
    cache.set(anObject("a"));
    await vi.waitFor(() => expect(gates).toHaveLength(1));
    cache.set(anObject("a", "2"));
    cache.set(anObject("a", "3"));
    gates.shift()?.();
    await vi.waitFor(() => expect(gates).toHaveLength(1));
    gates.shift()?.();
    await vi.waitFor(() => expect(outcomes).toEqual(["a success", "a success"]));
  });

  it("a reference that was taken away concerns the one who lost it", async () => {
    const { cache: _, controller, outcomes } = aController(async () => {});
    const references = new Cache<KubernetesObject & { owner: string }>();
    controller.watches(references, (object) => [object.owner]);
    references.set({ ...anObject("r"), owner: "a" });
    references.set({ ...anObject("r", "2"), owner: "b" });
    await vi.waitFor(() =>
      expect(outcomes.sort()).toEqual(["a success", "a success", "b success"]),
    );
  });

  it("looks at everything again at a resync", async () => {
    const { clock, cache, outcomes } = aController(async () => {}, { resyncMs: 60_000 });
    cache.set(anObject("a"));
    await vi.waitFor(() => expect(outcomes).toEqual(["a success"]));
    await clock.advance(60_000);
    await vi.waitFor(() => expect(outcomes).toEqual(["a success", "a success"]));
  });

  it("is told nothing any more once it has ended", async () => {
    const cache = new Cache<KubernetesObject>();
    const told: string[] = [];
    const controller = new Controller({
      name: "test",
      clock: new ManualClock(),
      reconcile: async () => {},
    }).watches(cache, ({ metadata }) => {
      told.push(metadata.name);
      return [];
    });
    const ended = new AbortController();
    const running = controller.run(ended.signal);
    cache.set(anObject("a"));
    ended.abort();
    await running;
    cache.set(anObject("b"));
    expect(told).toEqual(["a"]);
  });

  it("lets the event loop go on between keys, also where there is nothing to do for any of them", async () => {
    const { cache, outcomes } = aController(async () => {}, { workers: 1 });
    for (let index = 0; index < 100; index += 1) cache.set(anObject(`o${index}`));
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(outcomes.length).toBeLessThan(10);
    await vi.waitFor(() => expect(outcomes).toHaveLength(100));
  });

  it("ends once no worker is busy", async () => {
    let release = (): void => {};
    const { cache, controller, running, end } = aController(
      () => new Promise((resolve) => (release = resolve)),
    );
    cache.set(anObject("a"));
    await vi.waitFor(() => expect(controller.activeWorkers).toBe(1));
    end();
    let ended = false;
    void running.then(() => (ended = true));
    await new Promise(setImmediate);
    expect(ended).toBe(false);
    release();
    await running;
  });

  it("sends what follows from a status later than what follows from a change", async () => {
    const begun: string[] = [];
    const { cache, outcomes } = aController(async (key) => {
      begun.push(`${key} ${requestPriority()}`);
    });
    cache.set(anObject("a"));
    await vi.waitFor(() => expect(outcomes).toHaveLength(1));
    cache.set(anObject("a", "2"));
    await vi.waitFor(() => expect(outcomes).toHaveLength(2));
    cache.set({ metadata: { ...anObject("a", "3").metadata, generation: 2 } });
    await vi.waitFor(() => expect(outcomes).toHaveLength(3));
    expect(begun).toEqual(["a now", "a later", "a now"]);
  });

  it("has a worker for changes while all others are busy with something else", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const begun: string[] = [];
    const { cache, controller, outcomes } = aController(
      async (key) => {
        begun.push(key);
        if (key.startsWith("slow")) await promise;
      },
      { workers: 4 },
    );
    for (let index = 0; index < 6; index += 1) controller.queue.add(`slow-${index}`, "related");
    await vi.waitFor(() => expect(begun).toHaveLength(3));
    cache.set(anObject("new"));
    await vi.waitFor(() => expect(outcomes).toEqual(["new success"]));
    resolve();
    await vi.waitFor(() => expect(outcomes).toHaveLength(7));
  });
});
