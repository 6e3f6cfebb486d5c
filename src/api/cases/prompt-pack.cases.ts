import { PROMPT_PACK } from "../group.ts";
import { type KindCase, manifestOf } from "./kind-case.ts";

const source = { configMapRef: { name: "prompts" } };

function pack(spec: unknown, name?: string): object {
  return manifestOf(PROMPT_PACK, spec, name);
}

function canary(settings: unknown): object {
  return pack({ source, rollout: { strategy: "canary", canary: settings } });
}

const ROLLOUT_CASES: readonly KindCase[] = [
  {
    name: "a canary of steps",
    manifest: canary({
      steps: [
        { weight: 10, duration: "10m" },
        { weight: 50, duration: "1h30m" },
        { weight: 100, duration: "1h" },
      ],
      abortWhen: {
        errorRate: 0.05,
        validationFailures: 0,
        p95FirstChunk: "3s",
        minSessions: 50,
      },
    }),
  },
  {
    name: "a last step without duration",
    manifest: canary({ steps: [{ weight: 25, duration: "1s" }, { weight: 100 }] }),
  },
  {
    name: "a weight beside steps",
    manifest: canary({ weight: 5, steps: [{ weight: 10, duration: "10m" }] }),
  },
  {
    name: "a canary that is taken back, and never promoted by itself",
    manifest: canary({ weight: 20, abortWhen: { errorRate: 1 } }),
  },
  {
    name: "a step that has no end",
    manifest: canary({ steps: [{ weight: 99 }] }),
    refusedAt: "spec.rollout.canary.steps[0].duration",
  },
  {
    name: "a step of no weight",
    manifest: canary({ steps: [{ duration: "1m" }] }),
    refusedAt: "spec.rollout.canary.steps[0].weight",
  },
  {
    name: "a step of more than all sessions",
    manifest: canary({ steps: [{ weight: 101, duration: "1m" }] }),
    refusedAt: "spec.rollout.canary.steps[0].weight",
  },
  {
    name: "a step that lasts for a number",
    manifest: canary({ steps: [{ weight: 10, duration: 600 }] }),
    refusedAt: "spec.rollout.canary.steps[0].duration",
  },
  {
    name: "an empty list of steps",
    manifest: canary({ steps: [] }),
    refusedAt: "spec.rollout.canary.steps",
  },
  {
    name: "more steps than a canary may have",
    manifest: canary({ steps: Array.from({ length: 21 }, () => ({ weight: 1, duration: "1m" })) }),
    refusedAt: "spec.rollout.canary.steps",
  },
  {
    name: "a rate of errors in percent",
    manifest: canary({ weight: 10, abortWhen: { errorRate: 5 } }),
    refusedAt: "spec.rollout.canary.abortWhen.errorRate",
  },
  {
    name: "a score of evals, which nobody asks for",
    manifest: canary({ weight: 10, abortWhen: { evalScore: 0.8 } }),
    refusedAt: "spec.rollout.evals",
  },
  {
    name: "fewer sessions than none",
    manifest: canary({ weight: 10, abortWhen: { minSessions: -1 } }),
    refusedAt: "spec.rollout.canary.abortWhen.minSessions",
  },
];

export const PROMPT_PACK_CASES: readonly KindCase[] = [
  {
    name: "evals on the turns of agents, and a canary that is judged by them",
    manifest: pack({
      source,
      rollout: {
        strategy: "canary",
        canary: { weight: 10, abortWhen: { evalScore: 0.8 } },
        evals: { samplePercentage: 25, groups: ["fast-running"] },
      },
    }),
  },
  { name: "evals as they are", manifest: pack({ source, rollout: { evals: {} } }) },
  {
    name: "a sample of no turn",
    manifest: pack({ source, rollout: { evals: { samplePercentage: 0 } } }),
    refusedAt: "spec.rollout.evals.samplePercentage",
  },
  {
    name: "no group of evals",
    manifest: pack({ source, rollout: { evals: { groups: [] } } }),
    refusedAt: "spec.rollout.evals.groups",
  },
  { name: "a source alone", manifest: pack({ source }) },
  {
    name: "a key and a canary",
    manifest: pack({
      source: { configMapRef: { name: "prompts", key: "pack.yaml" } },
      rollout: { strategy: "canary", canary: { weight: 0 } },
    }),
  },
  {
    name: "the settings of a canary that is not on",
    manifest: pack({ source, rollout: { canary: { weight: 100 } } }),
  },
  { name: "a name with dots", manifest: pack({ source }, "support.v2") },
  { name: "no source", manifest: pack({}), refusedAt: "spec.source" },
  {
    name: "an empty source",
    manifest: pack({ source: {} }),
    refusedAt: "spec.source.configMapRef",
  },
  {
    name: "a source without name",
    manifest: pack({ source: { configMapRef: { key: "pack.json" } } }),
    refusedAt: "spec.source.configMapRef.name",
  },
  {
    name: "a key with a slash",
    manifest: pack({ source: { configMapRef: { name: "p", key: "a/b" } } }),
    refusedAt: "spec.source.configMapRef.key",
  },
  {
    name: "an unknown source",
    manifest: pack({ source: { ...source, git: {} } }),
    refusedAt: "spec.source.git",
  },
  {
    name: "an unknown strategy",
    manifest: pack({ source, rollout: { strategy: "blue-green" } }),
    refusedAt: "spec.rollout.strategy",
  },
  {
    name: "a canary without settings",
    manifest: pack({ source, rollout: { strategy: "canary" } }),
    refusedAt: "spec.rollout.canary",
  },
  {
    name: "a canary without weight",
    manifest: pack({ source, rollout: { strategy: "canary", canary: {} } }),
    refusedAt: "spec.rollout.canary.weight",
  },
  {
    name: "a canary of 101 percent",
    manifest: pack({ source, rollout: { strategy: "canary", canary: { weight: 101 } } }),
    refusedAt: "spec.rollout.canary.weight",
  },
  {
    name: "a canary of half a percent",
    manifest: pack({ source, rollout: { strategy: "canary", canary: { weight: 0.5 } } }),
    refusedAt: "spec.rollout.canary.weight",
  },
  ...ROLLOUT_CASES,
  {
    name: "a name too long for its versions",
    manifest: pack({ source }, "p".repeat(241)),
    refusedAt: "metadata.name",
  },
];
