import type { PromptPack } from "../../api/prompt-pack.ts";
import type { Finding } from "../condition.ts";
import type { PackVersion, RunningVersions } from "./pack-version.ts";
import { notRunRemark } from "../../promptpack/check/parts-not-run.ts";
import { listNames } from "../object-name.ts";
import { withEvalsNotRun } from "./evals-not-run.ts";
import type { PackSource } from "./pack-source.ts";

interface SourceFacts {
  promptPack: PromptPack;
  source: PackSource;
  versions: RunningVersions;
  /** The version that runs in place of the content of the source. */
  rolledBackTo?: PackVersion | undefined;
  /** Why the version in the source cannot be kept. */
  notKept: string | undefined;
}

/**
 * Finds whether the source holds a valid pack. The message says which version goes on serving when the source held a valid one
 * before.
 */
export function sourceValid(facts: SourceFacts): Finding<"PromptPack", "SourceValid"> {
  const finding = judge(facts);
  const { active } = facts.versions;
  if (finding.reason === "Valid" || active === undefined)
    return { type: "SourceValid", ...finding };
  return {
    type: "SourceValid",
    reason: finding.reason,
    message: `${finding.message}. Version ${active.semver} goes on serving`,
  };
}

function judge({
  promptPack,
  source,
  rolledBackTo,
  notKept,
}: SourceFacts): Omit<Finding<"PromptPack", "SourceValid">, "type"> {
  const { name, key } = promptPack.spec.source.configMapRef;
  if (!source.found) {
    const message = `ConfigMap "${name}" is not there; make it in namespace "${promptPack.metadata.namespace}", with the pack under the key "${key}"`;
    return { reason: "ConfigMapNotFound", message };
  }
  const { parsed, keys } = source;
  if (parsed === undefined) {
    const has = keys.length === 0 ? "it is empty" : `it has ${listNames(keys)}`;
    const message = `ConfigMap "${name}" has no key "${key}"; ${has}. Correct source.configMapRef.key or the ConfigMap`;
    return { reason: "KeyNotFound", message };
  }
  const place = `ConfigMap "${name}", key "${key}"`;
  if (!parsed.ok) return { reason: parsed.reason, message: `${place}: ${parsed.message}` };
  const rollback =
    rolledBackTo &&
    `it was rolled back, and version ${rolledBackTo.semver} (${rolledBackTo.hash}) runs until its text changes`;
  const notRun = withEvalsNotRun(parsed.notRun, parsed.pack, promptPack.spec.rollout.evals);
  const remarks = [...parsed.warnings, rollback, notKept].filter((text) => text !== undefined);
  const warnings = remarks.map((remark) => `; ${remark}`).join("");
  return {
    reason: "Valid",
    message: `${place} holds the valid pack "${parsed.pack.id}" ${parsed.pack.version}${warnings}${notRunRemark(notRun)}`,
  };
}
