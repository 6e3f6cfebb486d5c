/** Finds what a pack says and no agent does, so that whoever relies on it is told. */
import { formatPath, type FieldPath } from "../../api/fields/problems.ts";
import { enabledValidators, readValidator } from "../validators/read-validator.ts";
import { MAX_VALIDATORS } from "../validators/validator-config.ts";
import { bindingProblem } from "../document/binding.ts";
import { LOAD_SKILL, TRANSITION } from "../document/pack-tool-names.ts";
import { PACK_FIELDS } from "../document/field-uses.ts";
import type { PromptPackDocument } from "../document/prompt-pack-document.ts";
import { isReadSkill } from "../document/skills.ts";
import type { PackRemark } from "./check-pack.ts";
import { unreadProblem } from "./read-skills.ts";

/** A part that is not run. */
export interface PartNotRun extends PackRemark {
  /** Its name for a list, such as `workflow` or `prompts.support.validators`. */
  readonly name: string;
  /** The key of the prompt that it belongs to. `undefined`: the whole pack. */
  readonly prompt: string | undefined;
}

/** More of them are not listed: nobody reads them. */
const MAX_PARTS = 64;

/** In the order of the list of fields. What is switched off by its own `enabled: false` is left out. */
export function partsNotRun(pack: PromptPackDocument): PartNotRun[] {
  const found = PACK_FIELDS.filter(({ use }) => use === "not run").flatMap(({ path, says }) =>
    fieldsAt(pack, path.replace(/\[\]$/, "").split(".")).flatMap(({ at, value }) =>
      isSwitchedOn(value) ? [part(at, says)] : [],
    ),
  );
  return [
    ...validators(pack),
    ...found,
    ...skills(pack),
    ...transitions(pack),
    ...bindings(pack),
  ].slice(0, MAX_PARTS);
}

/** For the end of a condition's message. Empty when everything is run. */
export function notRunRemark(parts: readonly Pick<PartNotRun, "name">[]): string {
  if (parts.length === 0) return "";
  const named = parts.slice(0, MAX_NAMED).map(({ name }) => name);
  const more = parts.length - named.length;
  return `${NOT_RUN}${named.join(", ")}${more > 0 ? `, and ${more} more` : ""}`;
}

/** The parts that the remark in a condition's message names. `undefined`: it has none. */
export function readNotRunRemark(message: string): string | undefined {
  const at = message.lastIndexOf(NOT_RUN);
  return at < 0 ? undefined : message.slice(at + NOT_RUN.length);
}

const NOT_RUN = ". Not run: ";
const MAX_NAMED = 10;

function part(path: FieldPath, message: string): PartNotRun {
  const prompt = path[0] === "prompts" ? String(path[1]) : undefined;
  return { path, message, name: formatPath(path), prompt };
}

function validators({ prompts }: PromptPackDocument): PartNotRun[] {
  return Object.entries(prompts).flatMap(([key, { validators: all = [] }]) => {
    const at: FieldPath = ["prompts", key, "validators"];
    const enabled = enabledValidators(all);
    const unread = enabled.flatMap(({ validator, index }) => {
      const read = readValidator(validator);
      return read.ok ? [] : [part([...at, index], read.problem)];
    });
    const wanted = all.filter((validator) => validator.enabled !== false).length;
    if (wanted <= enabled.length) return unread;
    return [...unread, part(at, `are not run beyond the first ${MAX_VALIDATORS}`)];
  });
}

function skills({ skills: entries = [], prompts }: PromptPackDocument): PartNotRun[] {
  const unread = entries.flatMap((entry, index) =>
    isReadSkill(entry) ? [] : [part(["skills", index], unreadProblem(entry))],
  );
  const isLoaded = entries.some((entry) => isReadSkill(entry) && entry.preload !== true);
  const without = !isLoaded
    ? []
    : Object.entries(prompts).flatMap(([key, { tool_policy: policy = {} }]) => {
        const at: FieldPath = ["prompts", key, "tool_policy"];
        const { tool_choice: choice, blocklist = [] } = policy;
        const says = "keeps the model from loading skills";
        if (choice === "none") return [part([...at, "tool_choice"], says)];
        return blocklist.includes(LOAD_SKILL) ? [part([...at, "blocklist"], says)] : [];
      });
  return [...unread, ...without];
}

function transitions({ workflow, prompts }: PromptPackDocument): PartNotRun[] {
  return Object.entries(workflow?.states ?? {}).flatMap(([name, state]) => {
    const at: FieldPath = ["workflow", "states", name];
    if (Object.keys(state.on_event ?? {}).length === 0 || state.terminal === true) return [];
    if (state.orchestration === "external") {
      const says = "is not run: nothing outside of an agent moves its sessions, which stay there";
      return [part([...at, "orchestration"], says)];
    }
    const { tool_choice: choice, blocklist = [] } = prompts[state.prompt_task]?.tool_policy ?? {};
    if (choice !== "none" && !blocklist.includes(TRANSITION)) return [];
    const says = `is not run: the tool_policy of the prompt "${state.prompt_task}" keeps the model from it`;
    return [part([...at, "on_event"], says)];
  });
}

function bindings({ prompts }: PromptPackDocument): PartNotRun[] {
  return Object.entries(prompts).flatMap(([key, { variables = [] }]) =>
    variables.flatMap((variable, index) => {
      const problem = bindingProblem(variable);
      if (problem === undefined) return [];
      return [part(["prompts", key, "variables", index, "binding"], problem)];
    }),
  );
}

/** A list of which every item is switched off, or an empty one, asks for nothing. */
function isSwitchedOn(value: unknown): boolean {
  return Array.isArray(value) ? value.some(isEnabled) : value !== undefined && isEnabled(value);
}

function isEnabled(value: unknown): boolean {
  return (value as { enabled?: unknown } | null)?.enabled !== false;
}

function fieldsAt(
  value: unknown,
  [step, ...rest]: readonly string[],
  at: FieldPath = [],
): { at: FieldPath; value: unknown }[] {
  if (step === undefined) return value === undefined ? [] : [{ at, value }];
  if (typeof value !== "object" || value === null) return [];
  const map = value as Readonly<Record<string, unknown>>;
  const keys = step === "*" ? Object.keys(map) : Object.hasOwn(map, step) ? [step] : [];
  return keys.flatMap((key) => fieldsAt(map[key], rest, [...at, key]));
}
