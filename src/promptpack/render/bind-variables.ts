/** Finds the value of each variable of a prompt: the one that is given, the one that a turn fills in, or its default. */
import { bindingSource } from "../document/binding.ts";
import type { PromptPackDocument } from "../document/prompt-pack-document.ts";
import type { PackPrompt } from "../document/prompts.ts";
import type { Patterns } from "../patterns/patterns.ts";
import type { BoundText } from "./bound-text.ts";
import { valueAt } from "./render-templates.ts";
import type { PromptRequest } from "./prompt-request.ts";
import { templateReferences } from "./template-references.ts";
import { convertValue } from "./variable-value.ts";

export interface BoundVariables {
  values: ReadonlyMap<string, unknown>;
  problems: string[];
  unused: string[];
}

export function bindVariables(
  pack: PromptPackDocument,
  prompt: PackPrompt,
  templates: readonly string[],
  { variables: given = {}, agent }: Pick<PromptRequest, "variables" | "agent">,
  { boundText, patterns }: { boundText: BoundText; patterns: Patterns },
): BoundVariables {
  const declared = new Map(prompt.variables?.map((variable) => [variable.name, variable]));
  const values = new Map<string, unknown>();
  const problems: string[] = [];
  for (const [name, variable] of declared) {
    const text = ownValue(given, name);
    const source = text === undefined ? bindingSource(variable) : undefined;
    if (source !== undefined) {
      values.set(name, boundText.valueOf(source, variable, agent));
      continue;
    }
    const converted =
      text === undefined
        ? { ok: true as const, value: variable.default ?? undefined }
        : convertValue(variable, text, patterns);
    if (!converted.ok) problems.push(`"${name}" ${converted.problem}`);
    else values.set(name, converted.value);
    if (converted.ok && converted.value === undefined && variable.required) {
      problems.push(`"${name}" is missing`);
    }
  }
  const missing = new Set<string>();
  for (const template of templates) {
    const { variables } = templateReferences(template, pack.fragments ?? {}, (name) =>
      declared.has(name),
    );
    for (const { written, name, path } of variables) {
      if (declared.has(name)) {
        const value = values.get(name);
        // A value that is there must have the part that the template wants of it.
        if (value !== undefined && valueAt(value, path) === undefined) {
          problems.push(`"${name}" has no "${written}"`);
        }
      } else {
        const text = ownValue(given, written);
        if (text === undefined) missing.add(written);
        else values.set(written, text);
      }
    }
  }
  problems.push(...[...missing].map((name) => `"${name}" is missing`));
  const unused = Object.keys(given).filter((name) => !declared.has(name) && !values.has(name));
  return { values, problems: [...new Set(problems)], unused };
}

/** The value of the map itself, and nothing that it inherits. */
export function ownValue<T>(
  map: Readonly<Record<string, T>> | undefined,
  key: string,
): T | undefined {
  return map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined;
}
