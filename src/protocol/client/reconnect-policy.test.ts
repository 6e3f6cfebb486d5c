import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  DEFAULT_RECONNECT_POLICY,
  finalError,
  isTimeToGiveUp,
  pauseBefore,
} from "./reconnect-policy.ts";

const next = { tries: 0, closeCode: 1006, retryAfterMs: undefined, awaited: true };
const pause = (change: Partial<Parameters<typeof pauseBefore>[0]>, random: number) =>
  pauseBefore({ ...next, ...change }, DEFAULT_RECONNECT_POLICY, random);

describe("the reconnect policy", () => {
  it("comes back soon, and then after pauses that double up to the longest", () => {
    expect(pause({}, 0)).toBe(0);
    expect([1, 2, 3].map((tries) => pause({ tries }, 0.999))).toEqual([
      expect.closeTo(200, 0),
      expect.closeTo(400, 0),
      expect.closeTo(800, 0),
    ]);
    expect(pause({ tries: 40 }, 0.999)).toBeLessThanOrEqual(5_000);
  });

  it("spreads the clients of a replica that goes away, those who wait for an answer first", () => {
    expect(pause({ closeCode: 1001, awaited: false }, 0.5)).toBe(500);
    expect(pause({ closeCode: 1001 }, 0.5)).toBe(100);
    expect(pause({ closeCode: 4401, awaited: false }, 0.5)).toBe(500);
  });

  it("comes back no sooner than it is asked to", () => {
    expect(pause({ closeCode: 1013 }, 0)).toBe(1_000);
    expect(pause({ retryAfterMs: 7_000 }, 0)).toBe(7_000);
    expect(pause({ retryAfterMs: 1e9 }, 0)).toBe(60_000);
  });

  it("waits, whatever happens, and never for longer than the limit and a second", () => {
    fc.assert(
      fc.property(
        fc.nat(100),
        fc.constantFrom(1000, 1001, 1006, 1011, 1013),
        fc.option(fc.nat(), { nil: undefined }),
        fc.boolean(),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (tries, closeCode, retryAfterMs, awaited, random) => {
          const ms = pause({ tries, closeCode, retryAfterMs, awaited }, random);
          expect(ms).toBeGreaterThanOrEqual(0);
          expect(ms).toBeLessThanOrEqual(61_000);
        },
      ),
    );
  });

  it("gives up after a minute of trouble, and not before it has connected again at least once", () => {
    const isOver = (tries: number, now: number): boolean =>
      isTimeToGiveUp({ tries, since: 1_000 }, now, DEFAULT_RECONNECT_POLICY);
    expect([isOver(3, 60_999), isOver(3, 61_000), isOver(0, 61_000)]).toEqual([false, true, false]);
  });

  it("knows the closes after which trying again is no use", () => {
    expect(finalError(1008)).toMatchObject({ code: "refused", temporary: false });
    expect(finalError(1009)).toMatchObject({ code: "too-large" });
    for (const code of [1000, 1001, 1005, 1006, 1011, 1012, 1013]) {
      expect(finalError(code)).toBeUndefined();
    }
  });
});
