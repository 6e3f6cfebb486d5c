/** The fields of PromptPacks. */
import { gone, implied, moved, type UpstreamField } from "./upstream-field.ts";

export const PROMPT_PACK_FIELDS: readonly UpstreamField[] = [
  implied("2025-12", "source.type", ["configmap"], "a pack comes from a ConfigMap"),
  {
    from: "source.configMapRef.name",
    since: "2025-12",
    to: "source.configMapRef.name",
    note: "name the key, pack.json, in source.configMapRef.key: promptpack.json is read if unset",
    isShared: true,
  },
  gone("2025-12", "version", "the version is that of the pack's content"),
  gone("2026", "packName", "a PromptPack is known by its own name, and has its versions by itself"),
  moved("2025-12", "rollout.type", "rollout.strategy"),
  { from: "rollout.canary.weight", since: "2025-12", to: "rollout.canary.weight", isShared: true },
  gone("2025-12", "rollout.canary.stepWeight", "the weight stays until it is changed"),
  gone("2025-12", "rollout.canary.interval", "the weight stays until it is changed"),
  gone("2026", "skills", "skills are part of the pack's content"),
  gone("2026", "skillsConfig", "skills are part of the pack's content"),
];
