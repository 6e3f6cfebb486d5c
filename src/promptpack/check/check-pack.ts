/** Checks what a schema cannot: names that must fit together, templates, defaults and patterns. */
import type { FieldPath } from "../../api/fields/problems.ts";
import { UNSUPPORTED_FEATURES } from "../document/template-engine.ts";
import { Patterns } from "../patterns/patterns.ts";
import { WorkBudget } from "../patterns/work-budget.ts";
import type { PromptPackDocument } from "../document/prompt-pack-document.ts";
import { isReadSkill } from "../document/skills.ts";
import type { PackPrompt } from "../document/prompts.ts";
import { Schemas } from "../schema/compile-schema.ts";
import { isObject, type JSONObject } from "../schema/schema-node.ts";
import type { PackVariable } from "../document/variables.ts";
import { SharedTemplates, templateReferences } from "../render/template-references.ts";
import { hasType, typeProblem, validationProblem } from "../render/variable-value.ts";

/** To follow the templates of one pack, to read its schemas and patterns, and to match its defaults with these. */
export const MAX_PACK_STEPS = 10_000_000;

/** The form of a workflow that is run here. */
const WORKFLOW_VERSION = 1;

export interface PackRemark {
  path: FieldPath;
  message: string;
}

export interface PackCheck {
  problems: PackRemark[];
  /** The pack can be used, but some of what it says has no effect. */
  warnings: PackRemark[];
}

export function checkPack(pack: PromptPackDocument): PackCheck {
  const problems: PackRemark[] = [];
  const warnings: PackRemark[] = [];
  const refuse = (path: FieldPath, message: string): void => void problems.push({ path, message });
  const warn = (path: FieldPath, message: string): void => void warnings.push({ path, message });
  const budget = new WorkBudget(MAX_PACK_STEPS);
  const patterns = new Patterns(budget);
  const templates = new SharedTemplates(budget);
  const schemas = new Schemas(budget);
  const knownTools = new Set(
    Object.entries(pack.tools ?? {}).flatMap(([key, { name }]) => [key, name]),
  );

  checkTemplateEngine();
  for (const [name, text] of Object.entries(pack.fragments ?? {})) {
    checkTemplate(["fragments", name], text);
  }
  checkTools();
  for (const [key, prompt] of Object.entries(pack.prompts)) checkPrompt(["prompts", key], prompt);
  checkUnique(["evals"], pack.evals, "id");
  checkSkills();
  checkWorkflow();
  checkAgents();
  return { problems, warnings };

  function checkTemplateEngine(): void {
    const { syntax, features = [] } = pack.template_engine;
    if (!/^\{\{.*\}\}$/.test(syntax)) {
      warn(["template_engine", "syntax"], "only {{variable}} is rendered, whatever is said here");
    }
    for (const feature of UNSUPPORTED_FEATURES) {
      if (features.includes(feature)) {
        warn(
          ["template_engine", "features"],
          `${feature} are not supported; a template that uses them is refused`,
        );
      }
    }
  }

  function checkTemplate(path: FieldPath, text: string): void {
    for (const problem of templates.parse(text).problems) refuse(path, problem);
  }

  function checkTools(): void {
    const seen = new Set<string>();
    for (const [key, { name, parameters }] of Object.entries(pack.tools ?? {})) {
      if (seen.has(name)) refuse(["tools", key, "name"], "an earlier tool has the same name");
      seen.add(name);
      if (parameters !== undefined) checkSchema(["tools", key, "parameters"], parameters);
      for (const [index, required] of (parameters?.required ?? []).entries()) {
        if (!Object.hasOwn(parameters?.properties ?? {}, required)) {
          warn(
            ["tools", key, "parameters", "required", index],
            `"${required}" is none of the properties`,
          );
        }
      }
    }
  }

  function checkSchema(path: FieldPath, schema: JSONObject): void {
    const compiled = schemas.compile(schema);
    if (!compiled.ok) refuse(path, `cannot be used as a JSON Schema: ${compiled.problem}`);
  }

  function checkPrompt(path: FieldPath, prompt: PackPrompt): void {
    checkUnique([...path, "variables"], prompt.variables, "name");
    checkUnique([...path, "evals"], prompt.evals, "id");
    for (const [index, variable] of (prompt.variables ?? []).entries()) {
      checkVariable([...path, "variables", index], variable);
    }
    checkPromptTemplates(path, prompt);
    for (const [index, { type, params }] of (prompt.validators ?? []).entries()) {
      const { pattern, schema } = params ?? {};
      if (type === "regex_match" && typeof pattern === "string") {
        const problem = patterns.problemOf(pattern);
        if (problem !== undefined) {
          refuse([...path, "validators", index, "params", "pattern"], problem);
        }
      }
      if (type === "json_schema" && isObject(schema)) {
        checkSchema([...path, "validators", index, "params", "schema"], schema);
      }
    }
    if (pack.tools !== undefined) checkPromptTools(path, prompt);
  }

  function checkPromptTools(path: FieldPath, { tools = [] }: PackPrompt): void {
    for (const [index, tool] of tools.entries()) {
      if (!knownTools.has(tool)) {
        warn(
          [...path, "tools", index],
          `the pack describes no tool "${tool}"; the ToolRegistry has to`,
        );
      }
    }
  }

  function checkPromptTemplates(path: FieldPath, prompt: PackPrompt): void {
    const declared = new Set(prompt.variables?.map(({ name }) => name));
    const written: [FieldPath, string | undefined][] = [
      [[...path, "system_template"], prompt.system_template],
    ];
    for (const [model, override] of Object.entries(prompt.model_overrides ?? {})) {
      const at = [...path, "model_overrides", model];
      written.push(
        [[...at, "system_template"], override.system_template],
        [[...at, "system_template_prefix"], override.system_template_prefix],
        [[...at, "system_template_suffix"], override.system_template_suffix],
      );
    }
    for (const [at, template] of written) {
      if (template === undefined) continue;
      checkTemplate(at, template);
      const isDeclared = (name: string): boolean => declared.has(name);
      const references = templateReferences(template, pack.fragments ?? {}, isDeclared, templates);
      for (const problem of references.problems) refuse(at, problem);
    }
  }

  function checkVariable(path: FieldPath, variable: PackVariable): void {
    const { type, required, validation } = variable;
    const pattern = validation?.pattern;
    const badPattern = pattern === undefined ? undefined : patterns.problemOf(pattern);
    if (badPattern !== undefined) refuse([...path, "validation", "pattern"], badPattern);
    checkBounds(path, validation);
    // A `default:` without a value counts as no default.
    if (variable.default === undefined || variable.default === null) return;
    if (!hasType(type, variable.default)) {
      refuse([...path, "default"], `${typeProblem(type)}, as type "${type}" says`);
    } else if (badPattern === undefined) {
      const problem = validationProblem(variable, variable.default, patterns);
      if (problem?.isUnjudged === true) refuse([...path, "validation"], problem.message);
      else if (problem !== undefined) {
        warn([...path, "default"], `${problem.message}, as validation says`);
      }
    }
    if (required) {
      warn([...path, "default"], "a required variable has no use for a default; it is used anyway");
    }
  }

  function checkBounds(path: FieldPath, validation: PackVariable["validation"]): void {
    const { min_length = 0, max_length = Infinity, minimum, maximum } = validation ?? {};
    if (min_length > max_length) {
      refuse([...path, "validation", "min_length"], "is greater than max_length");
    }
    if ((minimum ?? -Infinity) > (maximum ?? Infinity)) {
      refuse([...path, "validation", "minimum"], "is greater than maximum");
    }
  }

  function checkUnique<Key extends string>(
    path: FieldPath,
    items: readonly Record<Key, string>[] | undefined,
    key: Key,
  ): void {
    const seen = new Set<string>();
    for (const [index, item] of (items ?? []).entries()) {
      if (seen.has(item[key])) {
        refuse([...path, index, key], `an earlier item has the same ${key}; give each its own`);
      }
      seen.add(item[key]);
    }
  }

  function checkSkills(): void {
    const seen = new Set<string>();
    for (const [index, skill] of (pack.skills ?? []).entries()) {
      if (!isReadSkill(skill)) continue;
      if (seen.has(skill.name)) {
        warn(
          ["skills", index],
          `"${skill.name}" is the name of an earlier skill, which it replaces`,
        );
      }
      seen.add(skill.name);
    }
  }

  function checkWorkflow(): void {
    const { workflow } = pack;
    if (workflow === undefined) return;
    const checkState = (path: FieldPath, state: string): void => {
      if (!Object.hasOwn(workflow.states, state)) refuse(path, `there is no state "${state}"`);
    };
    if (workflow.version !== WORKFLOW_VERSION) {
      warn(
        ["workflow", "version"],
        `names version ${workflow.version} of workflows, and this version takes ${WORKFLOW_VERSION}; it is run as one of version ${WORKFLOW_VERSION}`,
      );
    }
    checkState(["workflow", "entry"], workflow.entry);
    for (const [name, state] of Object.entries(workflow.states)) {
      const path = ["workflow", "states", name];
      checkPromptName([...path, "prompt_task"], state.prompt_task);
      for (const [event, target] of Object.entries(state.on_event ?? {})) {
        checkState([...path, "on_event", event], target);
      }
      if (state.terminal === true && Object.keys(state.on_event ?? {}).length > 0) {
        warn([...path, "on_event"], "is never looked at, since the state is terminal");
      }
      if (state.on_max_visits !== undefined) {
        checkState([...path, "on_max_visits"], state.on_max_visits);
      }
    }
  }

  function checkAgents(): void {
    if (pack.agents === undefined) return;
    checkPromptName(["agents", "entry"], pack.agents.entry);
    for (const member of Object.keys(pack.agents.members)) {
      checkPromptName(["agents", "members", member], member);
    }
  }

  function checkPromptName(path: FieldPath, prompt: string): void {
    if (!Object.hasOwn(pack.prompts, prompt)) refuse(path, `there is no prompt "${prompt}"`);
  }
}
