import { formatPath, type FieldPath } from "../../api/fields/problems.ts";
import type { Position } from "../../api/manifest/text-positions.ts";
import { withSkillFiles } from "../../promptpack/check/pack-text.ts";
import { parsePromptPack } from "../../promptpack/check/parse-prompt-pack.ts";
import { readPackSource } from "../../promptpack/check/read-pack-source.ts";
import type { PromptPackDocument } from "../../promptpack/document/prompt-pack-document.ts";
import { positionInBlock } from "./content-position.ts";
import type { Findings } from "./findings.ts";
import type { ResourceOf } from "./reference-lookup.ts";

/** Returns the pack under a key of a ConfigMap, or `undefined` when it is not valid. `text` is that of the ConfigMap's file. */
export function checkPackContent(
  configMap: ResourceOf<"ConfigMap">,
  key: string,
  text: string,
  findings: Findings,
): PromptPackDocument | undefined {
  const content = configMap.value.data?.[key] ?? "";
  const block = configMap.positionOf(["data", key]);
  const field = formatPath(["data", key]);
  const parsed = parsePromptPack(withSkillFiles(key, content, configMap.value.data ?? {}));
  if (parsed.ok) {
    for (const warning of parsed.warnings) {
      findings.addAt("warning", configMap.file, block, `${field}: ${warning}`);
    }
    const positions = positionsOf(content, parsed.notRun);
    for (const [index, { name, message }] of parsed.notRun.entries()) {
      const position = positionInBlock(text, block, content, positions[index] ?? {});
      findings.addAt("warning", configMap.file, position, `${field}: ${name} ${message}`);
    }
    return parsed.pack;
  }
  for (const { path, message, ...place } of parsed.problems) {
    const position = positionInBlock(text, block, content, place);
    // A problem without a place of its own in the file says where it is in the content.
    const isPlaced = place.line === undefined || position !== block;
    const where = isPlaced ? "" : ` (line ${place.line}, column ${place.column} of it)`;
    const within = path === "" ? "" : `${path}: `;
    findings.addAt("error", configMap.file, position, `${field}${where}: ${within}${message}`);
  }
  return undefined;
}

function positionsOf(content: string, parts: readonly { readonly path: FieldPath }[]): Position[] {
  if (parts.length === 0) return [];
  const source = readPackSource(content);
  return source.ok ? source.positionsOf(parts.map(({ path }) => path)) : [];
}
