/** Finds the parts in which two versions of a pack differ. */
import { canonicalJSON } from "../../../promptpack/document/content-hash.ts";
import type { PromptPackDocument } from "../../../promptpack/document/prompt-pack-document.ts";
import { isReadSkill, type SkillEntry } from "../../../promptpack/document/skills.ts";

export interface Change {
  /** Such as `prompts.support.system_template` or `prompts.support.variables.company`. */
  readonly path: string;
  /** `undefined`: that version does not have it. */
  readonly before: unknown;
  readonly after: unknown;
}

/** In the order of the later version. What only the earlier one has comes last. */
export function compareDocuments(before: PromptPackDocument, after: PromptPackDocument): Change[] {
  const earlier = partsOf(before);
  const later = partsOf(after);
  const paths = new Set([...later.keys(), ...earlier.keys()]);
  return [...paths]
    .map((path) => ({ path, before: earlier.get(path), after: later.get(path) }))
    .filter((change) => canonicalJSON(change.before) !== canonicalJSON(change.after));
}

/** The prompts first, since they are what people look for. */
function partsOf({ prompts, fragments, tools, ...rest }: PromptPackDocument): Map<string, unknown> {
  const parts = new Map<string, unknown>();
  for (const [key, prompt] of Object.entries(prompts)) {
    addFields(parts, `prompts.${key}`, prompt);
  }
  addFields(parts, "fragments", fragments);
  addFields(parts, "tools", tools);
  addFields(parts, "", rest);
  return parts;
}

/** These fields are compared item by item: a list is long, and one item of it changes. */
const ITEM_NAMES: Readonly<Record<string, string>> = {
  variables: "name",
  validators: "type",
  evals: "id",
};

function addFields(parts: Map<string, unknown>, path: string, fields: object | undefined): void {
  for (const [field, value] of Object.entries(fields ?? {})) {
    const at = path === "" ? field : `${path}.${field}`;
    const itemName = ITEM_NAMES[field];
    if (value === undefined) continue;
    if (field === "model_overrides" && isMap(value)) {
      for (const [model, override] of Object.entries(value)) {
        addFields(parts, `${at}.${model}`, override as object);
      }
    } else if (field === "skills" && Array.isArray(value)) {
      addSkills(parts, at, value as readonly SkillEntry[]);
    } else if (itemName !== undefined && Array.isArray(value)) addItems(parts, at, value, itemName);
    else parts.set(at, value);
  }
}

function addItems(
  parts: Map<string, unknown>,
  path: string,
  items: readonly unknown[],
  itemName: string,
): void {
  for (const [index, item] of items.entries()) {
    const name = isMap(item) ? item[itemName] : undefined;
    const at = `${path}.${typeof name === "string" ? name : index}`;
    // Several validators may have one type.
    let own = at;
    for (let count = 2; parts.has(own); count += 1) own = `${at}[${count}]`;
    parts.set(own, item);
  }
}

/** A skill is texts, which are compared line by line: its instructions, and its other files. */
function addSkills(parts: Map<string, unknown>, path: string, skills: readonly SkillEntry[]): void {
  for (const [index, skill] of skills.entries()) {
    if (!isReadSkill(skill)) {
      parts.set(`${path}.${typeof skill === "string" ? skill : index}`, skill);
      continue;
    }
    const { files, ...fields } = skill;
    addFields(parts, `${path}.${skill.name}`, fields);
    addFields(parts, `${path}.${skill.name}.files`, files);
  }
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A text as it is, and everything else as JSON over several lines, with fields in the order of their names. */
export function textOf(value: unknown): string {
  return typeof value === "string"
    ? value
    : JSON.stringify(JSON.parse(canonicalJSON(value)), undefined, 2);
}
