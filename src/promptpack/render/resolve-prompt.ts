/** Finds the prompt that an agent runs, from a pack and what the agent asks of it. */
import type { PackParameters } from "../document/parameters.ts";
import type { PromptPackDocument } from "../document/prompt-pack-document.ts";
import type { PackPrompt } from "../document/prompts.ts";
import type { PackTool } from "../document/tools.ts";
import { isReadSkill, type PackSkill } from "../document/skills.ts";
import { MAX_RENDERED_BYTES, renderTemplates, TemplateError, valueAt } from "./render-templates.ts";
import { selectPrompt } from "./select-prompt.ts";
import { templateReferences } from "./template-references.ts";
import { Patterns } from "../patterns/patterns.ts";
import { WorkBudget } from "../patterns/work-budget.ts";
import { convertValue } from "./variable-value.ts";
import { enabledValidators, readValidator } from "../validators/read-validator.ts";
import type { ValidatorConfig } from "../validators/validator-config.ts";
import { bindingSource } from "../document/binding.ts";
import { BoundText, type TextBinding } from "./bound-text.ts";

export const DEFAULT_MAX_ROUNDS = 5;
export const DEFAULT_MAX_TOOL_CALLS_PER_TURN = 10;
/** To match the values of one prompt with their patterns. */
export const MAX_VALUES_STEPS = 6_000_000;

export interface PromptRequest {
  /** The name of the prompt. `selectPrompt` says what happens without one. */
  prompt?: string | undefined;
  variables?: Readonly<Record<string, string>> | undefined;
  /** The model, for which the pack may have overrides. Undefined where nobody knows it. */
  model: string | undefined;
  /** The agent that runs the prompt, for variables that are bound to it. */
  agent: { readonly name: string; readonly namespace: string };
}

/** The parameters under the names that an AgentRuntime gives them. */
export interface PromptParameters {
  temperature?: number;
  maxTokens?: number;
  topP?: number;
  topK?: number;
  frequencyPenalty?: number;
  presencePenalty?: number;
}

export interface ResolvedPrompt {
  name: string;
  /** The version of the pack. */
  semver: string;
  /** The rendered system prompt. A turn puts its own values in place of the markers of `bindings`. */
  system: string;
  /** What is known in a turn only. */
  bindings: readonly TextBinding[];
  /** Those that are run. */
  validators: readonly ValidatorConfig[];
  parameters: PromptParameters;
  toolChoice: "auto" | "required" | "none";
  maxRounds: number;
  maxToolCallsPerTurn: number;
  /** The names of the tools that the prompt is offered. Without this list it is offered all of them. */
  tools?: readonly string[];
  /** The names of tools that the prompt is never offered. */
  blocklist: readonly string[];
  /** What the pack says about tools, by their key in the pack. */
  packTools: Readonly<Record<string, PackTool>>;
  /** Those that can be read. Of two with one name, the later one. */
  skills: readonly PackSkill[];
  /** Variables that are given but not used, perhaps because they are misspelt. */
  unusedVariables: readonly string[];
}

export type PromptResolution =
  | { ok: true; value: ResolvedPrompt }
  | { ok: false; reason: "PromptNotFound" | "VariablesMissing" | "Invalid"; message: string };

export function resolvePrompt(pack: PromptPackDocument, request: PromptRequest): PromptResolution {
  const selected = selectPrompt(pack, request.prompt);
  if (!selected.ok) return { ok: false, reason: "PromptNotFound", message: selected.message };
  const { name, prompt } = selected;
  const override =
    request.model === undefined ? undefined : ownValue(prompt.model_overrides, request.model);
  const templates = [
    override?.system_template_prefix ?? "",
    override?.system_template ?? prompt.system_template,
    override?.system_template_suffix ?? "",
  ];
  const boundText = new BoundText([templates, pack.fragments, request.variables, prompt.variables]);
  const bound = bindVariables(pack, prompt, templates, request, boundText);
  if (bound.problems.length > 0) {
    const message = `prompt "${name}" needs promptPackRef.variables: ${bound.problems.join("; ")}`;
    return { ok: false, reason: "VariablesMissing", message };
  }
  const skills = skillsOf(pack);
  const scope = { variables: bound.values, fragments: pack.fragments ?? {} };
  try {
    const system = renderTemplates(templates, scope);
    if (
      skills.length > 0 &&
      Buffer.byteLength(JSON.stringify([system, skills])) > MAX_RENDERED_BYTES
    ) {
      throw new TemplateError(
        `with its skills it is larger than ${MAX_RENDERED_BYTES / 1024} KiB; shorten the template or the skills`,
      );
    }
    return {
      ok: true,
      value: {
        name,
        semver: pack.version,
        system,
        bindings: boundText.bindings,
        validators: validatorsOf(prompt),
        parameters: {
          ...camelCased(prompt.parameters),
          ...camelCased(override?.parameters),
        },
        toolChoice: prompt.tool_policy?.tool_choice ?? "auto",
        maxRounds: prompt.tool_policy?.max_rounds ?? DEFAULT_MAX_ROUNDS,
        maxToolCallsPerTurn:
          prompt.tool_policy?.max_tool_calls_per_turn ?? DEFAULT_MAX_TOOL_CALLS_PER_TURN,
        ...(prompt.tools === undefined ? {} : { tools: prompt.tools }),
        blocklist: prompt.tool_policy?.blocklist ?? [],
        packTools: pack.tools ?? {},
        skills,
        unusedVariables: bound.unused,
      },
    };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return { ok: false, reason: "Invalid", message: `prompt "${name}": ${error.message}` };
  }
}

function skillsOf({ skills = [] }: PromptPackDocument): PackSkill[] {
  const byName = new Map(skills.filter(isReadSkill).map((skill) => [skill.name, skill]));
  return [...byName.values()];
}

function validatorsOf({ validators = [] }: PackPrompt): ValidatorConfig[] {
  return enabledValidators(validators).flatMap(({ validator }) => {
    const read = readValidator(validator);
    return read.ok ? read.config : [];
  });
}

interface BoundVariables {
  values: ReadonlyMap<string, unknown>;
  problems: string[];
  unused: string[];
}

function bindVariables(
  pack: PromptPackDocument,
  prompt: PackPrompt,
  templates: readonly string[],
  { variables: given = {}, agent }: PromptRequest,
  boundText: BoundText,
): BoundVariables {
  const declared = new Map(prompt.variables?.map((variable) => [variable.name, variable]));
  const values = new Map<string, unknown>();
  const problems: string[] = [];
  const patterns = new Patterns(new WorkBudget(MAX_VALUES_STEPS));
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

function camelCased(parameters: PackParameters | undefined): PromptParameters {
  if (parameters === undefined) return {};
  const { temperature, max_tokens, top_p, top_k, frequency_penalty, presence_penalty } = parameters;
  const renamed = {
    temperature,
    maxTokens: max_tokens,
    topP: top_p,
    topK: top_k,
    frequencyPenalty: frequency_penalty,
    presencePenalty: presence_penalty,
  };
  // A parameter that is absent from an override must not hide the prompt's own.
  return Object.fromEntries(Object.entries(renamed).filter(([, value]) => value != null));
}

function ownValue<T>(map: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined;
}
