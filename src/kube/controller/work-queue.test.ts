import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { FIRST_RETRY_MS, LAST_RETRY_MS, LOWER_SHARE, WorkQueue } from "./work-queue.ts";

describe("WorkQueue", () => {
  it("holds a key once however often it is added", async () => {
    const queue = new WorkQueue({ clock: new ManualClock() });
    queue.add("a");
    queue.add("a");
    expect(queue.depth).toBe(1);
    expect(await queue.take()).toBe("a");
    expect(queue.depth).toBe(0);
  });

  it("keeps one worker per key while another add arrives, and then hands the key out again", async () => {
    const queue = new WorkQueue({ clock: new ManualClock() });
    queue.add("a");
    await queue.take();
    queue.add("a");
    queue.add("b");
    expect(await queue.take()).toBe("b");
    expect(queue.depth).toBe(0);
    queue.done("a");
    expect(await queue.take()).toBe("a");
  });

  it("hands keys out in the order in which they came, to the worker that waited longest", async () => {
    const queue = new WorkQueue({ clock: new ManualClock() });
    const first = queue.take();
    const second = queue.take();
    queue.add("a");
    queue.add("b");
    expect(await Promise.all([first, second])).toEqual(["a", "b"]);
  });

  it("adds a key after its delay, and of two delays after the sooner", async () => {
    const clock = new ManualClock();
    const queue = new WorkQueue({ clock });
    queue.addAfter("a", 100);
    queue.addAfter("a", 1_000);
    queue.addAfter("b", 1_000);
    queue.addAfter("b", 100);
    await clock.advance(99);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(queue.depth).toBe(2);
    expect(clock.pendingTimers).toBe(0);
  });

  it("a key that is added while it waits for its delay does not wait any longer", async () => {
    const clock = new ManualClock();
    const queue = new WorkQueue({ clock });
    queue.addAfter("a", 100);
    queue.add("a");
    expect(await queue.take()).toBe("a");
    queue.done("a");
    await clock.advance(1_000);
    expect(queue.depth).toBe(0);
  });

  it("doubles the delay of a key with every failure, up to a limit, until it is forgotten", () => {
    const queue = new WorkQueue({ clock: new ManualClock() });
    const delays = Array.from({ length: 9 }, () => queue.addFailed("a"));
    expect(delays.slice(0, 3)).toEqual([FIRST_RETRY_MS, 2 * FIRST_RETRY_MS, 4 * FIRST_RETRY_MS]);
    expect(delays.at(-1)).toBe(LAST_RETRY_MS);
    expect(queue.addFailed("b")).toBe(FIRST_RETRY_MS);
    queue.forget("a");
    expect(queue.addFailed("a")).toBe(FIRST_RETRY_MS);
  });

  it("tells everyone who waits that it was closed, and takes nothing more", async () => {
    const clock = new ManualClock();
    const queue = new WorkQueue({ clock });
    const waiting = queue.take();
    queue.addAfter("a", 10);
    queue.close();
    expect(await waiting).toBeUndefined();
    queue.add("b");
    expect(await queue.take()).toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
  });

  it("loses no key and gives none to two workers, whatever the order of events", async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant("add" as const), key: fc.constantFrom("a", "b", "c") }),
      fc.record({ do: fc.constant("delay" as const), key: fc.constantFrom("a", "b", "c") }),
      fc.record({ do: fc.constant("fail" as const), key: fc.constantFrom("a", "b", "c") }),
      fc.record({ do: fc.constant("take" as const) }),
      fc.record({ do: fc.constant("done" as const) }),
      fc.record({ do: fc.constant("wait" as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const clock = new ManualClock();
        const queue = new WorkQueue({ clock });
        const owed = new Set<string>();
        const working: string[] = [];
        const take = async (): Promise<void> => {
          const key = await queue.take();
          expect(key).toBeDefined();
          expect(working).not.toContain(key);
          working.push(key as string);
          owed.delete(key as string);
        };
        for (const event of steps) {
          if (event.do === "add") queue.add(event.key);
          if (event.do === "delay") queue.addAfter(event.key, 1_000);
          if (event.do === "fail") queue.addFailed(event.key);
          if ("key" in event) owed.add(event.key);
          if (event.do === "take" && queue.depth > 0) await take();
          if (event.do === "done" && working.length > 0) queue.done(working.shift() as string);
          if (event.do === "wait") await clock.advance(500);
        }
        for (const key of working.splice(0)) queue.done(key);
        await clock.advance(LAST_RETRY_MS);
        while (queue.depth > 0) await take();
        expect([...owed]).toEqual([]);
      }),
    );
  });

  it("a key that fails and changed meanwhile is tried again at once, and not once more after its backoff", async () => {
    const clock = new ManualClock();
    const queue = new WorkQueue({ clock });
    queue.add("a");
    await queue.take();
    queue.add("a");
    queue.addFailed("a");
    queue.done("a");
    expect(await queue.take()).toBe("a");
    queue.done("a");
    await clock.advance(LAST_RETRY_MS);
    expect(queue.depth).toBe(0);
  });

  it("tells of keys that came, how long they waited and were worked on, and of retries", async () => {
    const clock = new ManualClock();
    const told: string[] = [];
    const queue = new WorkQueue({
      clock,
      observer: {
        onAdd: () => told.push("add"),
        onTake: (seconds) => told.push(`take after ${seconds}`),
        onDone: (seconds) => told.push(`done after ${seconds}`),
        onRetry: () => told.push("retry"),
      },
    });
    queue.add("a");
    queue.add("a");
    await clock.advance(2_000);
    await queue.take();
    await clock.advance(3_000);
    expect([queue.unfinishedSeconds, queue.longestSeconds]).toEqual([3, 3]);
    queue.addFailed("a");
    queue.done("a");
    expect([queue.unfinishedSeconds, queue.longestSeconds]).toEqual([0, 0]);
    expect(told).toEqual(["add", "take after 2", "retry", "done after 3"]);
  });

  describe("hands out", () => {
    const aQueue = () => new WorkQueue({ clock: new ManualClock() });
    const next = async (queue: WorkQueue): Promise<string> => {
      const key = (await queue.take()) ?? "";
      queue.done(key);
      return key;
    };

    it("changes before what follows from them, and that before what is looked at again", async () => {
      const queue = aQueue();
      queue.add("again", "resync");
      queue.add("child", "related");
      queue.add("changed", "change");
      expect([await next(queue), await next(queue), await next(queue)]).toEqual([
        "changed",
        "child",
        "again",
      ]);
    });

    it("a key by the highest of its priorities, in the place of the first time it was added", async () => {
      const queue = aQueue();
      for (const key of ["a", "b", "c"]) queue.add(key, "resync");
      queue.add("b", "change");
      queue.add("b", "resync");
      expect(queue.depth).toBe(3);
      expect(await next(queue)).toBe("b");
    });

    it("what was changed while a worker had it as a change", async () => {
      const queue = aQueue();
      queue.add("a", "resync");
      await queue.take();
      expect(queue.priorityOf("a")).toBe("resync");
      queue.add("a", "change");
      queue.add("b", "related");
      queue.done("a");
      expect(await next(queue)).toBe("a");
    });

    it("a change that failed as a change, when its time has come", async () => {
      const clock = new ManualClock();
      const queue = new WorkQueue({ clock });
      queue.add("a", "change");
      await queue.take();
      queue.addFailed("a");
      queue.done("a");
      queue.add("b", "related");
      await clock.advance(FIRST_RETRY_MS);
      expect(await queue.take()).toBe("a");
      expect(queue.priorityOf("a")).toBe("change");
    });

    it("one of those that wait with a lower priority after so many others", async () => {
      const queue = aQueue();
      queue.add("again", "resync");
      queue.add("child", "related");
      for (let change = 0; change < 3 * LOWER_SHARE; change += 1) {
        queue.add(`change-${change}`, "change");
      }
      const order: string[] = [];
      while (queue.depth > 0) order.push(await next(queue));
      expect(order.indexOf("child")).toBe(LOWER_SHARE);
      expect(order.indexOf("again")).toBe(LOWER_SHARE + 1);
    });

    it("nothing but changes to a worker that is there for them", async () => {
      const queue = aQueue();
      const reserved = queue.take("changes");
      queue.add("child", "related");
      queue.add("changed", "change");
      expect(await reserved).toBe("changed");
      expect(await next(queue)).toBe("child");
    });
  });
});
