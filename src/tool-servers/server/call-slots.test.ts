import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { rejectionOf } from "../../../test/support/builders/rejection-of.ts";
import { CallSlots } from "./call-slots.ts";

const never = new AbortController().signal;

function someSlots({ maxParallel = 1, maxWaiting = 2 } = {}) {
  const clock = new ManualClock();
  return { clock, slots: new CallSlots({ clock, maxParallel, maxWaiting }) };
}

describe("call slots", () => {
  it("let those that wait in as others leave, in the order in which they came", async () => {
    const { slots } = someSlots({ maxParallel: 2 });
    const entered: number[] = [];
    const enter = (id: number) => slots.enter(1_000, never).then(() => entered.push(id));
    await Promise.all([enter(1), enter(2)]);
    const waiting = [enter(3), enter(4)];
    expect(entered).toEqual([1, 2]);
    slots.leave();
    await waiting[0];
    expect(entered).toEqual([1, 2, 3]);
    slots.leave();
    await waiting[1];
    expect(entered).toEqual([1, 2, 3, 4]);
  });

  it("refuse a call when too many wait", async () => {
    const { slots } = someSlots();
    await slots.enter(1_000, never);
    const waiting = [slots.enter(1_000, never), slots.enter(1_000, never)];
    expect(await slots.enter(1_000, never)).toBe(false);
    slots.leave();
    slots.leave();
    expect(await Promise.all(waiting)).toEqual([true, true]);
  });

  it("refuse a call that waited for its time, and keep its place for nobody", async () => {
    const { clock, slots } = someSlots();
    await slots.enter(1_000, never);
    const late = slots.enter(1_000, never);
    await clock.advance(1_000);
    expect(await late).toBe(false);
    slots.leave();
    expect(await slots.enter(1_000, never)).toBe(true);
  });

  it("let a call go that is cancelled while it waits", async () => {
    const { slots } = someSlots({ maxWaiting: 1 });
    await slots.enter(1_000, never);
    const stop = new AbortController();
    const cancelled = rejectionOf(slots.enter(1_000, stop.signal));
    stop.abort(new Error("cancelled"));
    expect(await cancelled).toMatchObject({ message: "cancelled" });
    const next = slots.enter(1_000, never);
    slots.leave();
    expect(await next).toBe(true);
  });
});
