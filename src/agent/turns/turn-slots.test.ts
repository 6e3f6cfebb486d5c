import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { rejectionOf } from "../../../test/support/builders/rejection-of.ts";
import { TurnSlots } from "./turn-slots.ts";

function someSlots(limits: { turns?: number; queued?: number } = {}) {
  const clock = new ManualClock();
  const refused: string[] = [];
  const current = {
    maxTurnsInFlight: limits.turns ?? 1,
    maxQueuedTurns: limits.queued ?? 2,
    maxQueueMs: 5_000,
  };
  const slots = new TurnSlots({
    clock,
    limits: () => current,
    metrics: { requestsRefusedTotal: { add: (_, { reason }) => void refused.push(reason) } },
  });
  return { slots, clock, refused, current };
}

/** The slot that the others wait for. */
function take(slots: TurnSlots): void {
  expect(slots.enter("a")).toBeUndefined();
}

const unavailable = { code: "UNAVAILABLE", details: { retry_after: expect.any(Number) as number } };

describe("TurnSlots", () => {
  it("lets in as many as there are slots, and the others in their order as slots get free", async () => {
    const { slots } = someSlots();
    expect(slots.enter("a")).toBeUndefined();
    const order: string[] = [];
    const b = slots.enter("b")?.then(() => order.push("b"));
    const c = slots.enter("c")?.then(() => order.push("c"));
    expect({ taken: slots.taken, queued: slots.queued }).toEqual({ taken: 1, queued: 2 });
    slots.leave();
    await b;
    expect(order).toEqual(["b"]);
    slots.leave();
    await c;
    expect({ taken: slots.taken, queued: slots.queued }).toEqual({ taken: 1, queued: 0 });
  });

  it("refuses at once when the queue is full, and says when to come back", () => {
    const { slots, refused } = someSlots({ queued: 0 });
    take(slots);
    expect(() => slots.enter("b")).toThrow(expect.objectContaining(unavailable));
    expect(refused).toEqual(["queue_full"]);
  });

  it("refuses who has waited for too long, and gives the slot to the next", async () => {
    const { slots, clock, refused } = someSlots();
    take(slots);
    const late = rejectionOf(Promise.resolve(slots.enter("b")));
    await clock.advance(5_000);
    expect(await late).toMatchObject(unavailable);
    expect(refused).toEqual(["queue_timeout"]);
    slots.leave();
    expect(slots.enter("c")).toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
  });

  it("lets a turn that is cancelled out of the queue, to come to its end", async () => {
    const { slots } = someSlots();
    take(slots);
    const waiting = slots.enter("b");
    expect(slots.cancel("other")).toBe(false);
    expect(slots.cancel("b")).toBe(true);
    expect(await waiting).toBe("cancelled");
    expect(slots.taken).toBe(2);
  });

  it("takes up a changed limit with the next message", async () => {
    const { slots, current } = someSlots();
    take(slots);
    const b = slots.enter("b");
    current.maxTurnsInFlight = 3;
    const c = slots.enter("c");
    expect(await Promise.all([b, c])).toEqual(["entered", "entered"]);
    expect(slots.taken).toBe(3);
  });

  it("sends everybody away once it is closed, and is idle when the last one has left", async () => {
    const { slots } = someSlots();
    take(slots);
    const waiting = rejectionOf(Promise.resolve(slots.enter("b")));
    slots.close();
    expect(await waiting).toMatchObject(unavailable);
    expect(() => slots.enter("c")).toThrow(expect.objectContaining(unavailable));
    let idle = false;
    const whenIdle = slots.whenIdle().then(() => (idle = true));
    expect(idle).toBe(false);
    slots.leave();
    await whenIdle;
  });
});
