import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { ExpiryQueue } from "./expiry-queue.ts";

function aQueue(delayMs = 10_000) {
  const clock = new ManualClock();
  const due: string[] = [];
  const queue = new ExpiryQueue<string>(clock, delayMs, (value) => due.push(value));
  return { clock, due, queue };
}

describe("ExpiryQueue", () => {
  it("hands out each value a fixed time after it was last touched", async () => {
    const { clock, due, queue } = aQueue();
    queue.touch("a");
    await clock.advance(5_000);
    queue.touch("b");
    await clock.advance(4_000);
    queue.touch("a");
    await clock.advance(5_999);
    expect(due).toEqual([]);
    await clock.advance(1);
    expect(due).toEqual(["b"]);
    await clock.advance(4_000);
    expect(due).toEqual(["b", "a"]);
    expect(queue.size).toBe(0);
  });

  it("holds what it has to a new time too, a shorter or a longer one", async () => {
    const { clock, due, queue } = aQueue();
    queue.touch("a");
    queue.setDelay(20_000);
    await clock.advance(19_999);
    expect(due).toEqual([]);
    queue.touch("b");
    queue.setDelay(3_000);
    await clock.advance(1_000);
    expect(due).toEqual(["a"]);
    await clock.advance(3_000);
    expect(due).toEqual(["a", "b"]);
    expect(clock.pendingTimers).toBe(0);
  });

  it("has one timer for all, and none when it is empty", async () => {
    const { clock, queue } = aQueue();
    expect(clock.pendingTimers).toBe(0);
    for (const value of ["a", "b", "c", "a"]) queue.touch(value);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(10_000);
    expect(clock.pendingTimers).toBe(0);
  });

  it("does not fire for each value alone when many are due one after another", async () => {
    const { clock, due, queue } = aQueue();
    for (let value = 0; value < 500; value++) {
      queue.touch(`${value}`);
      await clock.advance(1);
    }
    let fired = 0;
    const setTimer = clock.setTimer.bind(clock);
    clock.setTimer = (ms, callback) => {
      fired += 1;
      return setTimer(ms, callback);
    };
    await clock.advance(20_000);
    expect(due).toHaveLength(500);
    expect(fired).toBeLessThan(5);
  });

  it("knows what is due before its timer comes to it", async () => {
    const { clock, due, queue } = aQueue(100);
    queue.touch("a");
    await clock.advance(50);
    queue.touch("b");
    await clock.advance(50);
    expect(due).toEqual(["a"]);
    await clock.advance(50);
    expect(queue.isDue("b")).toBe(true);
    queue.sweep();
    expect(due).toEqual(["a", "b"]);
  });

  it("takes a value back when it is touched as it is handed out", async () => {
    const clock = new ManualClock();
    let times = 0;
    const queue: ExpiryQueue<string> = new ExpiryQueue(clock, 1_000, (value) => {
      times += 1;
      if (times < 3) queue.touch(value);
    });
    queue.touch("a");
    await clock.advance(2_000);
    expect(times).toBe(2);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(1_000);
    expect([times, queue.size]).toEqual([3, 0]);
  });

  it("forgets what is deleted, and everything when it is closed", async () => {
    const { clock, due, queue } = aQueue();
    queue.touch("a");
    queue.touch("b");
    queue.delete("a");
    expect([...queue.values()]).toEqual(["b"]);
    queue.close();
    await clock.advance(20_000);
    expect(due).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it("gives its values in the order in which they were last touched, whatever is touched and deleted", () => {
    const steps = fc.array(
      fc.tuple(fc.constantFrom("touch", "delete"), fc.constantFrom("a", "b", "c", "d")),
    );
    fc.assert(
      fc.property(steps, (each) => {
        const { queue } = aQueue();
        let expected: string[] = [];
        for (const [step, value] of each) {
          queue[step](value);
          expected = expected.filter((other) => other !== value);
          if (step === "touch") expected.push(value);
        }
        expect([...queue.values()]).toEqual(expected);
        queue.close();
      }),
    );
  });
});
