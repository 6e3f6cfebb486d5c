import type { PromptPack } from "../../api/prompt-pack.ts";
import { withSkillFiles } from "../../promptpack/check/pack-text.ts";
import {
  type ParsedPromptPack,
  parsePromptPack,
} from "../../promptpack/check/parse-prompt-pack.ts";

/** What the ConfigMap of a PromptPack holds now. */
export type PackSource =
  | { readonly found: false }
  | {
      readonly found: true;
      readonly keys: readonly string[];
      /** `undefined` when the ConfigMap does not have the key. */
      readonly parsed: ParsedPromptPack | undefined;
    };

/** `parsed` is what `packContent` is as a pack, where that was found out before. */
export function packSource(
  { spec }: Pick<PromptPack, "spec">,
  data: Readonly<Record<string, string>>,
  parsed = parse(packContent({ spec }, data)),
): PackSource {
  return { found: true, keys: Object.keys(data), parsed };
}

function parse(content: string | undefined): ParsedPromptPack | undefined {
  return content === undefined ? undefined : parsePromptPack(content);
}

/** The text of the pack with the files of its skills; `undefined` when the ConfigMap does not have the key. */
export function packContent(
  { spec }: { readonly spec: Pick<PromptPack["spec"], "source"> },
  data: Readonly<Record<string, string>>,
): string | undefined {
  const { key } = spec.source.configMapRef;
  const text = Object.hasOwn(data, key) ? data[key] : undefined;
  return text === undefined ? undefined : withSkillFiles(key, text, data);
}
