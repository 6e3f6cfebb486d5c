import type { PromptPack } from "../../api/prompt-pack.ts";
import type { ParsedPromptPack } from "../../promptpack/parse-prompt-pack.ts";
import type { Finding } from "../condition.ts";
import type { PackVersions } from "../kept-version.ts";
import { listNames } from "../object-name.ts";

interface SourceFacts {
  promptPack: PromptPack;
  source: { found: false } | { found: true; data: Readonly<Record<string, string>> };
  /** `undefined`: there was nothing to parse. */
  parsed: ParsedPromptPack | undefined;
  versions: PackVersions;
}

/** Whether the source holds a pack. False, with a version that goes on serving, when it held one once. */
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
  parsed,
}: SourceFacts): Omit<Finding<"PromptPack", "SourceValid">, "type"> {
  const { name, key } = promptPack.spec.source.configMapRef;
  if (!source.found) {
    const message = `ConfigMap "${name}" is not there; make it in namespace "${promptPack.metadata.namespace}", with the pack under the key "${key}"`;
    return { reason: "ConfigMapNotFound", message };
  }
  if (parsed === undefined) {
    const keys = Object.keys(source.data);
    const has = keys.length === 0 ? "it is empty" : `it has ${listNames(keys)}`;
    const message = `ConfigMap "${name}" has no key "${key}"; ${has}. Correct source.configMapRef.key or the ConfigMap`;
    return { reason: "KeyNotFound", message };
  }
  const place = `ConfigMap "${name}", key "${key}"`;
  if (!parsed.ok) return { reason: parsed.reason, message: `${place}: ${parsed.message}` };
  const warnings = parsed.warnings.map((warning) => `; ${warning}`).join("");
  return {
    reason: "Valid",
    message: `${place} holds the valid pack "${parsed.pack.id}" ${parsed.pack.version}${warnings}`,
  };
}
