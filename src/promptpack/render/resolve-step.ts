/** One prompt of a pack as an agent runs it: its text with the values of its variables, and what goes with it. */
import type { PackParameters } from "../document/parameters.ts";
import type { PromptPackDocument } from "../document/prompt-pack-document.ts";
import type { PackPrompt } from "../document/prompts.ts";
import type { PackTool } from "../document/tools.ts";
import type { Patterns } from "../patterns/patterns.ts";
import { enabledValidators, readValidator } from "../validators/read-validator.ts";
import type { ValidatorConfig } from "../validators/validator-config.ts";
import { bindVariables, ownValue } from "./bind-variables.ts";
import { BoundText, type TextBinding } from "./bound-text.ts";
import { renderTemplates, TemplateError } from "./render-templates.ts";
import type { PromptFailure, PromptRequest } from "./prompt-request.ts";

export const DEFAULT_MAX_ROUNDS = 5;
export const DEFAULT_MAX_TOOL_CALLS_PER_TURN = 10;

/** The parameters under the names that an AgentRuntime gives them. */
export interface PromptParameters {
  temperature?: number;
  maxTokens?: number;
  topP?: number;
  topK?: number;
  frequencyPenalty?: number;
  presencePenalty?: number;
}

export interface ResolvedStep {
  /** Its key in the pack. */
  name: string;
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
  tools?: readonly string[] | undefined;
  /** The names of tools that the prompt is never offered. */
  blocklist: readonly string[];
  /** What the pack says about tools, by their key in the pack. */
  packTools: Readonly<Record<string, PackTool>>;
  /** Variables that are given but not used, perhaps because they are misspelt. */
  unusedVariables: readonly string[];
}

export function resolveStep(
  pack: PromptPackDocument,
  name: string,
  request: PromptRequest,
  patterns: Patterns,
): { ok: true; value: ResolvedStep } | PromptFailure {
  const prompt = ownValue(pack.prompts, name);
  if (prompt === undefined) throw new Error(`the pack was not checked: it has no prompt "${name}"`);
  const override =
    request.model === undefined ? undefined : ownValue(prompt.model_overrides, request.model);
  const templates = [
    override?.system_template_prefix ?? "",
    override?.system_template ?? prompt.system_template,
    override?.system_template_suffix ?? "",
  ];
  const boundText = new BoundText([templates, pack.fragments, request.variables, prompt.variables]);
  const bound = bindVariables(pack, prompt, templates, request, { boundText, patterns });
  if (bound.problems.length > 0) {
    const message = `prompt "${name}" needs promptPackRef.variables: ${bound.problems.join("; ")}`;
    return { ok: false, reason: "VariablesMissing", message };
  }
  const scope = { variables: bound.values, fragments: pack.fragments ?? {} };
  try {
    return {
      ok: true,
      value: {
        name,
        system: renderTemplates(templates, scope),
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
        unusedVariables: bound.unused,
      },
    };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return { ok: false, reason: "Invalid", message: `prompt "${name}": ${error.message}` };
  }
}

function validatorsOf({ validators = [] }: PackPrompt): ValidatorConfig[] {
  return enabledValidators(validators).flatMap(({ validator }) => {
    const read = readValidator(validator);
    return read.ok ? read.config : [];
  });
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
