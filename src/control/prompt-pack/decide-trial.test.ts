import { describe, expect, it } from "vitest";
import { aPackText } from "../../../test/support/builders/a-pack.ts";
import { aPromptPack } from "../../../test/support/builders/resources.ts";
import { type PromptPack, promptPackStatusSchema } from "../../api/prompt-pack.ts";
import { decidePromptPack, type PromptPackDecision } from "./decide-prompt-pack.ts";
import { packSource, type PackSource } from "./pack-source.ts";
import type { PackVersion } from "./pack-version.ts";
import { NO_COUNTS } from "./rollout/canary-counts.ts";

const MINUTE = 60_000;
const STEPS = [
  { weight: 10, duration: "10m" },
  { weight: 50, duration: "10m" },
  { weight: 100, duration: "10m" },
];
const ACTIVE_COUNTS = { ...NO_COUNTS, sessions: 9, turns: 12 };
const rolloutOf = (canary: object): object => ({ rollout: { strategy: "canary", canary } });
const AUTOMATIC = rolloutOf({ steps: STEPS, abortWhen: { errorRate: 0.05, minSessions: 20 } });
const source = (version: string): PackSource =>
  packSource(aPromptPack(), { "promptpack.json": aPackText({ version }) });

/** A pack whose new version gets sessions while a clock of its own goes on. */
class Rollout {
  spec: object = AUTOMATIC;
  at = source("1.0.0");
  status: PromptPack["status"];
  now = Date.parse("2026-03-01T12:00:00Z");
  readonly news: string[] = [];
  readonly weights: number[] = [];
  #kept: PackVersion[] = [];
  #trial: string | undefined;
  #counts = NO_COUNTS;
  isHeard = true;

  /** Decides once a second for so long, with one more session each time. */
  run(ms: number, errorEvery = Infinity): this {
    for (const end = this.now + ms; this.now < end; this.now += 1_000) {
      const { sessions, turns, errors } = this.#counts;
      const failed = (sessions + 1) % errorEvery === 0 ? 1 : 0;
      this.#counts = {
        ...this.#counts,
        sessions: sessions + 1,
        turns: turns + 1,
        errors: errors + failed,
      };
      this.decide();
    }
    return this;
  }

  decide(): PromptPackDecision {
    const decision = decidePromptPack({
      promptPack: aPromptPack({ spec: { ...this.spec }, status: this.status }),
      source: this.at,
      previous: this.#kept,
      agents: () => ({ referencing: 1, notified: 1 }),
      observe: (trial, ended) => {
        if (trial !== this.#trial) this.#counts = NO_COUNTS;
        this.#trial = trial;
        const counting = this.isHeard ? 1 : 0;
        const active = { counts: ACTIVE_COUNTS, ended: ended.active };
        return { counts: this.#counts, ended: ended.canary, counting, silent: 0, active };
      },
      now: this.now,
    });
    const { versions, keep, news, status } = decision;
    // What is kept in a cluster is the text alone.
    this.status = promptPackStatusSchema.parse(JSON.parse(JSON.stringify(status)));
    const known = [versions.active, versions.canary?.version, ...this.#kept];
    this.#kept = keep.flatMap((hash) => known.find((version) => version?.hash === hash) ?? []);
    if (news !== undefined) this.news.push(news.reason);
    const weight = versions.canary?.weight ?? -1;
    if (this.weights.at(-1) !== weight) this.weights.push(weight);
    return decision;
  }
}

function aRollout(): Rollout {
  const rollout = new Rollout();
  rollout.decide();
  rollout.at = source("2.0.0");
  return rollout;
}

describe("a canary with steps", () => {
  it("goes from step to step, and is promoted, when it is good", () => {
    const rollout = aRollout().run(31 * MINUTE);
    expect(rollout.weights).toEqual([-1, 10, 50, 100, -1]);
    expect(rollout.news).toEqual(["CanaryStep", "CanaryStep", "CanaryStep", "CanaryPromoted"]);
    expect(rollout.status).toMatchObject({ phase: "Active", activeSemver: "2.0.0" });
    expect(rollout.status).not.toHaveProperty("canaryStep");
    expect(rollout.status).not.toHaveProperty("canaryCounts");
    expect(rollout.status).not.toHaveProperty("activeCounts");
  });

  it("says in its status where it stands", () => {
    const { status } = aRollout().run(12 * MINUTE);
    expect(status).toMatchObject({
      phase: "Canary",
      activeSemver: "1.0.0",
      canarySemver: "2.0.0",
      canaryWeight: 50,
      canaryStep: 2,
      canaryStepSince: expect.stringMatching(/^2026-03-01T12:10/),
      canaryMessage: "Step 2 of 3 (weight 50) lasts 10m",
    });
    expect(status?.canaryCounts?.sessions).toBeGreaterThan(100);
    expect(status?.activeCounts).toEqual(ACTIVE_COUNTS);
  });

  it("is taken back within two minutes when one turn in five fails, and is not tried again", () => {
    const rollout = aRollout().run(2 * MINUTE, 5);
    expect(rollout.news).toEqual(["CanaryStep", "CanaryAborted"]);
    expect(rollout.status).toMatchObject({
      phase: "Active",
      activeSemver: "1.0.0",
      abortedSemver: "2.0.0",
      abortedReason:
        "Step 1 of 3 (weight 10): 4 of 20 turns failed (20 %), and errorRate allows 5 %",
    });
    rollout.run(120 * MINUTE);
    expect(rollout.news).toHaveLength(2);
    expect(rollout.status).toMatchObject({ activeSemver: "1.0.0", abortedSemver: "2.0.0" });
  });

  it("stays taken back while its source cannot be read, and while the rules are changed", () => {
    const rollout = aRollout().run(2 * MINUTE, 5);
    rollout.at = { found: false };
    rollout.run(MINUTE);
    rollout.spec = rolloutOf({ weight: 30 });
    rollout.run(MINUTE);
    rollout.at = source("2.0.0");
    rollout.run(MINUTE);
    expect(rollout.status).toMatchObject({ phase: "Active", abortedSemver: "2.0.0" });
  });

  it("begins anew when the content is another one after it was taken back", () => {
    const rollout = aRollout().run(2 * MINUTE, 5);
    rollout.at = source("2.0.1");
    rollout.run(MINUTE);
    expect(rollout.status).toMatchObject({ phase: "Canary", canarySemver: "2.0.1", canaryStep: 1 });
    expect(rollout.status).not.toHaveProperty("abortedVersion");
  });

  it.each([
    ["the weight 100", rolloutOf({ weight: 100, steps: STEPS })],
    ["the strategy immediate", {}],
  ])("is promoted by %s even after it was taken back", (_, spec) => {
    const rollout = aRollout().run(2 * MINUTE, 5);
    rollout.spec = spec;
    rollout.run(1_000);
    expect(rollout.status).toMatchObject({ phase: "Active", activeSemver: "2.0.0" });
    expect(rollout.status).not.toHaveProperty("abortedVersion");
  });

  it("begins with its first step when other content comes in the middle of a trial", () => {
    const rollout = aRollout().run(12 * MINUTE);
    rollout.at = source("3.0.0");
    rollout.run(1_000);
    expect(rollout.status).toMatchObject({
      canarySemver: "3.0.0",
      canaryStep: 1,
      canaryWeight: 10,
      canaryCounts: { sessions: 0 },
    });
  });

  it("goes on while its source cannot be read", () => {
    const rollout = aRollout().run(5 * MINUTE);
    rollout.at = { found: false };
    rollout.run(26 * MINUTE);
    expect(rollout.status).toMatchObject({ phase: "Active", activeSemver: "2.0.0" });
  });

  it("waits for as long as no replica is heard", () => {
    const rollout = aRollout();
    rollout.isHeard = false;
    rollout.run(600 * MINUTE);
    expect(rollout.weights).toEqual([-1, 10]);
    expect(rollout.status?.canaryMessage).toBe(
      "Step 1 of 3 (weight 10) waits for replicas that tell what they counted of it: none does",
    );
    rollout.isHeard = true;
    rollout.run(1_000);
    expect(rollout.status).toMatchObject({ canaryStep: 2 });
  });

  it("ends when the source goes back to the active content", () => {
    const rollout = aRollout().run(5 * MINUTE);
    rollout.at = source("1.0.0");
    rollout.run(1_000);
    expect(rollout.status).toMatchObject({ phase: "Active", activeSemver: "1.0.0" });
    expect(rollout.status).not.toHaveProperty("canaryStep");
  });

  it("gives the agents another trial with each step, also when two have one weight", () => {
    const rollout = aRollout();
    rollout.spec = rolloutOf({ steps: [STEPS[0], STEPS[0]] });
    const trials = new Set<string | undefined>();
    for (let minute = 0; minute < 19; minute += 1) {
      rollout.run(MINUTE);
      trials.add(rollout.decide().versions.canary?.trial);
    }
    expect(trials.size).toBe(2);
    expect(trials).not.toContain(undefined);
  });
});

describe("a canary of a weight alone", () => {
  it("has no trial, and nothing about one in its status", () => {
    const rollout = aRollout();
    rollout.spec = rolloutOf({ weight: 30 });
    rollout.run(600 * MINUTE);
    expect(rollout.decide().versions.canary).toMatchObject({ weight: 30, trial: undefined });
    expect(rollout.status).not.toHaveProperty("canaryStep");
    expect(rollout.news).toEqual([]);
  });

  it("gets a trial when rules are added, and is taken back by them", () => {
    const rollout = aRollout();
    rollout.spec = rolloutOf({ weight: 30 });
    rollout.run(MINUTE);
    rollout.spec = rolloutOf({ weight: 30, abortWhen: { errorRate: 0.1 } });
    rollout.run(MINUTE, 5);
    expect(rollout.status).toMatchObject({ phase: "Active", abortedSemver: "2.0.0" });
  });
});
