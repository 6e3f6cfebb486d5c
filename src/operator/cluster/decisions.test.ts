import { describe, expect, it } from "vitest";
import { Decisions } from "./decisions.ts";

const { signal } = new AbortController();

/** The world is a number, and the decision is its double. A decision waits until `gate` opens. */
class Rig {
  readonly world = new Map<string, number>();
  readonly told: string[] = [];
  decided = 0;
  texts = 0;
  failure: Error | undefined;
  gate: Promise<void> = Promise.resolve();

  readonly decisions = new Decisions<readonly [number], { double: number }>({
    gather: (key) => {
      const value = this.world.get(key);
      return value === undefined ? undefined : [value];
    },
    decide: async (_key, [value]) => {
      this.decided += 1;
      await this.gate;
      if (this.failure !== undefined) throw this.failure;
      return { double: 2 * value };
    },
    // The sign of the number makes no difference to those who ask.
    toText: ({ double }) => {
      this.texts += 1;
      return String(Math.abs(double));
    },
  });

  constructor() {
    this.decisions.subscribe((key) => this.told.push(key));
  }

  answer = (key = "a") => this.decisions.answer(key, signal);
  renew = (key = "a") => this.decisions.renew(key, signal);
}

describe("Decisions", () => {
  it("one decision serves all who ask, until the world is another", async () => {
    const rig = new Rig();
    rig.world.set("a", 1);
    const all = await Promise.all(Array.from({ length: 100 }, () => rig.answer()));
    expect(all).toEqual(Array.from({ length: 100 }, () => ({ double: 2 })));
    await rig.renew();
    expect(rig.decided).toBe(1);
    expect(rig.texts).toBe(1);
    rig.world.set("a", 2);
    expect(await rig.answer()).toEqual({ double: 4 });
    expect(rig.decided).toBe(2);
  });

  it("who asks gets the decision of that moment, also while an older one is under way", async () => {
    const rig = new Rig();
    const { promise, resolve } = Promise.withResolvers<void>();
    rig.gate = promise;
    rig.world.set("a", 1);
    const early = rig.answer();
    rig.world.set("a", 5);
    const late = rig.answer();
    resolve();
    expect(await late).toEqual({ double: 10 });
    expect(await early).toEqual({ double: 10 });
  });

  it("a failure is everybody's who waits for it, and nobody's afterwards", async () => {
    const rig = new Rig();
    rig.world.set("a", 1);
    rig.failure = new Error("the API server is away");
    const outcomes = await Promise.allSettled([rig.answer(), rig.answer(), rig.renew()]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(rig.decided).toBe(1);
    rig.failure = undefined;
    expect(await rig.answer()).toEqual({ double: 2 });
  });

  it("those who asked are told of another answer, and of nothing else", async () => {
    const rig = new Rig();
    rig.world.set("a", 1);
    await rig.answer();
    await rig.renew();
    rig.world.set("a", -1);
    await rig.renew();
    expect(rig.told).toEqual([]);
    rig.world.set("a", 2);
    await rig.renew();
    await rig.renew();
    expect(rig.told).toEqual(["a"]);
  });

  it("those who found nothing are told when there is something, and when it has gone", async () => {
    const rig = new Rig();
    expect(await rig.answer()).toBeUndefined();
    rig.world.set("a", 1);
    await rig.renew();
    expect(rig.told).toEqual(["a"]);
    rig.world.delete("a");
    expect(await rig.renew()).toBeUndefined();
    expect(rig.told).toEqual(["a", "a"]);
  });

  it("an answer that one is given before the others know it is told to the others", async () => {
    const rig = new Rig();
    rig.world.set("a", 1);
    await rig.answer();
    rig.world.set("a", 2);
    await rig.answer();
    expect(rig.told).toEqual(["a"]);
  });
});
