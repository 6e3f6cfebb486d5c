import { describe, expect, it } from "vitest";
import {
  emptyFirstChunkBuckets,
  firstChunkBucketOf,
} from "../../../agent-config/first-chunk-buckets.ts";
import { promptPackSpecSchema } from "../../../api/prompt-pack.ts";
import { NO_COUNTS } from "./canary-counts.ts";
import { decideRollout, type RolloutDecision } from "./decide-rollout.ts";
import type { ObservedCanary } from "./replica-ledger.ts";
import { rolloutPlan, type RolloutPlan } from "./rollout-plan.ts";

const NOW = Date.parse("2026-03-01T12:00:00Z");
const STEPS = [
  { weight: 10, duration: "10m" },
  { weight: 50, duration: "1h" },
  { weight: 100, duration: "30m" },
];
const ABORT_WHEN = { errorRate: 0.05, validationFailures: 0.1, p95FirstChunk: "3s" };

function aPlan(
  canary: object = { steps: STEPS, abortWhen: ABORT_WHEN },
  evals?: object,
): RolloutPlan {
  const rollout = { strategy: "canary", canary, evals };
  const { rollout: parsed } = promptPackSpecSchema.parse({
    source: { configMapRef: { name: "prompts" } },
    rollout,
  });
  const plan = rolloutPlan(parsed);
  if (plan === undefined) throw new Error("there is no plan");
  return plan;
}

function seen(counts: Partial<ObservedCanary["counts"]>, silent = 0, counting = 1): ObservedCanary {
  return { counts: { ...NO_COUNTS, ...counts }, ended: NO_COUNTS, silent, counting };
}

const GOOD = seen({ sessions: 40, turns: 100, errors: 5, validationFailures: 10 });

function decide(
  observed: ObservedCanary | undefined,
  { plan = aPlan(), step = 1, ageMs = 600_000 } = {},
): RolloutDecision {
  return decideRollout({ plan, state: { step, since: NOW - ageMs }, observed, now: NOW });
}

describe("a canary", () => {
  it("begins with its first step", () => {
    const decision = decideRollout({
      plan: aPlan(),
      state: undefined,
      observed: undefined,
      now: NOW,
    });
    expect(decision).toEqual({
      action: "begin",
      step: 1,
      message: "Step 1 of 3 (weight 10) begins",
    });
  });

  it("stays for the duration of its step, however good it is", () => {
    expect(decide(GOOD, { ageMs: 599_999 })).toMatchObject({ action: "stay", step: 1 });
    expect(decide(GOOD, { ageMs: 600_000 })).toMatchObject({ action: "step", step: 2 });
  });

  it("stays when the clock was set back", () => {
    expect(decide(GOOD, { ageMs: -3_600_000 })).toMatchObject({ action: "stay", step: 1 });
  });

  it("is promoted after its last step", () => {
    expect(decide(GOOD, { step: 3, ageMs: 1_799_999 })).toMatchObject({ action: "stay" });
    expect(decide(GOOD, { step: 3, ageMs: 1_800_000 })).toMatchObject({ action: "promote" });
  });

  it("is promoted where a step of weight 100 without a duration would begin", () => {
    const plan = aPlan({ steps: [{ weight: 10, duration: "10m" }, { weight: 100 }] });
    expect(decide(GOOD, { plan })).toMatchObject({ action: "promote" });
  });

  it("is in the last step when steps were taken out of the spec", () => {
    const plan = aPlan({ steps: STEPS.slice(0, 2) });
    expect(decide(GOOD, { plan, step: 3, ageMs: 60_000 })).toMatchObject({
      action: "stay",
      step: 2,
    });
  });

  it.each([
    ["nobody was asked", undefined],
    ["no replica counts", seen({}, 0, 0)],
    ["no replica counts any more", seen(GOOD.counts, 0, 0)],
    ["a ready replica does not answer", seen(GOOD.counts, 1)],
    ["too few sessions were seen", seen({ sessions: 9, turns: 900 })],
  ])("is never promoted while %s", (_, observed) => {
    for (const step of [1, 2, 3]) {
      const decision = decide(observed, { step, ageMs: 1e10 });
      expect(decision).toMatchObject({ action: "stay", step });
      expect(decision.message).toMatch(/ waits for /);
    }
  });

  it("is promoted without sessions only where minSessions is 0, and a replica says that there were none", () => {
    const plan = aPlan({ steps: STEPS, abortWhen: { minSessions: 0, errorRate: 0 } });
    expect(decide(seen({}), { plan })).toMatchObject({ action: "step" });
    expect(decide(seen({}, 0, 0), { plan })).toMatchObject({ action: "stay" });
  });

  it("of a weight alone stays until its weight is changed", () => {
    const plan = aPlan({ weight: 20, abortWhen: ABORT_WHEN });
    expect(decide(GOOD, { plan, ageMs: 1e12 })).toMatchObject({ action: "stay" });
    expect(decide(seen({ sessions: 10, turns: 10, errors: 1 }), { plan })).toMatchObject({
      action: "abort",
    });
  });
});

describe("a canary is taken back", () => {
  const slow = (times: number): number[] => {
    const buckets = emptyFirstChunkBuckets();
    buckets[firstChunkBucketOf(100)] = 100 - times;
    buckets[firstChunkBucketOf(9_000)] = times;
    return buckets;
  };

  it.each([
    [{ errors: 6 }, "6 of 100 turns failed (6 %), and errorRate allows 5 %"],
    [
      { validationFailures: 11 },
      "validators found fault with 11 of 100 turns (11 %), and validationFailures allows 10 %",
    ],
    [{ firstChunk: slow(6) }, "and p95FirstChunk allows 3s"],
  ])("for %j", (fault, words) => {
    const observed = seen({ sessions: 40, turns: 100, ...fault });
    const decision = decide(observed, { ageMs: 1 });
    expect(decision).toMatchObject({ action: "abort", step: 1 });
    expect(decision.message).toContain(words);
    // It needs no more than the counts that there are.
    expect(decide({ ...observed, silent: 3 }, { ageMs: 1 })).toMatchObject({ action: "abort" });
  });

  it("for evals whose mean score is below what is wanted", () => {
    const plan = aPlan({ steps: STEPS, abortWhen: { evalScore: 0.8 } }, {});
    const scored = (evals: number, evalPoints: number): ObservedCanary =>
      seen({ sessions: 40, turns: 100, evals, evalPoints });
    expect(decide(scored(10, 7_990), { plan, ageMs: 1 })).toEqual({
      action: "abort",
      step: 1,
      message:
        "Step 1 of 3 (weight 10): 10 evals of its turns had a mean score of 0.799, and evalScore wants 0.8",
    });
    expect(decide(scored(10, 8_000), { plan })).toMatchObject({ action: "step" });
    expect(decide(scored(0, 0), { plan })).toMatchObject({
      action: "stay",
      message: expect.stringMatching(/waits for evals/) as string,
    });
  });

  it("not for what its rules allow", () => {
    const allowed = {
      sessions: 40,
      turns: 100,
      errors: 5,
      validationFailures: 10,
      firstChunk: slow(5),
    };
    expect(decide(seen(allowed), { ageMs: 1 })).toMatchObject({ action: "stay" });
  });

  it("not before enough sessions were seen", () => {
    expect(decide(seen({ sessions: 9, turns: 9, errors: 9 }))).toMatchObject({ action: "stay" });
    expect(decide(seen({ sessions: 10, turns: 10, errors: 10 }))).toMatchObject({
      action: "abort",
    });
  });

  it("for a single error where errorRate is 0, and for none where there is no rule", () => {
    const observed = seen({ sessions: 10, turns: 1_000, errors: 1 });
    const strict = aPlan({ steps: STEPS, abortWhen: { errorRate: 0 } });
    expect(decide(observed, { plan: strict })).toMatchObject({ action: "abort" });
    const without = aPlan({ steps: STEPS });
    const worst = seen({
      sessions: 10,
      turns: 10,
      errors: 10,
      validationFailures: 10,
      firstChunk: slow(100),
    });
    expect(decide(worst, { plan: without })).toMatchObject({ action: "step" });
  });

  it("rather than promoted, when both would be due", () => {
    const observed = seen({ sessions: 40, turns: 100, errors: 20 });
    expect(decide(observed, { step: 3, ageMs: 1e10 })).toMatchObject({ action: "abort" });
  });
});

describe("a plan", () => {
  it.each([
    ["a weight alone", { strategy: "canary", canary: { weight: 20 } }],
    ["the weight 100", { strategy: "canary", canary: { weight: 100, steps: STEPS } }],
    [
      "a first step that promotes",
      { strategy: "canary", canary: { steps: [{ weight: 100 }, { weight: 50, duration: "1m" }] } },
    ],
    ["the strategy immediate", { strategy: "immediate", canary: { steps: STEPS } }],
    ["no rollout", {}],
  ])("is not made of %s", (_, rollout) => {
    const source = { configMapRef: { name: "prompts" } };
    const parsed = promptPackSpecSchema.parse({ source, rollout });
    expect(rolloutPlan(parsed.rollout)).toBeUndefined();
  });
});
