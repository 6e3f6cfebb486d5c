import { PROMPT_PACK } from "../group.ts";
import { type KindCase, manifestOf } from "./kind-case.ts";

const source = { configMapRef: { name: "prompts" } };

function pack(spec: unknown, name?: string): object {
  return manifestOf(PROMPT_PACK, spec, name);
}

export const PROMPT_PACK_CASES: readonly KindCase[] = [
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
  {
    name: "a name too long for its versions",
    manifest: pack({ source }, "p".repeat(241)),
    refusedAt: "metadata.name",
  },
];
