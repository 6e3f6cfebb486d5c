/**
 * What becomes of every field of a pack: the one list from which warnings, conditions and the table in docs/promptpacks.md are made. A
 * test walks the schema of the document, so that a new field has to be entered here.
 */

export type FieldUse =
  /** The agent does what the field says. */
  | "run"
  /** The field describes the pack to people and tools, and has nothing to run. */
  | "descriptive"
  /** The field is accepted, and nothing is done about it. Whoever uses the pack is told so. */
  | "not run";

export interface PackField {
  /** Steps as in `prompts.*.validators[]`: `*` is any key of a map. All that is within the field has the same use. */
  readonly path: string;
  readonly use: FieldUse;
  /** What is done, or what happens instead. A sentence without its end, which stands after the name of the field. */
  readonly says: string;
}

const run = (path: string, says: string): PackField => ({ path, use: "run", says });
const descriptive = (path: string, says: string): PackField => ({
  path,
  use: "descriptive",
  says,
});
const notRun = (path: string, says: string): PackField => ({ path, use: "not run", says });

const EVALS_NOT_RUN =
  "are run by `omnia eval`, and on turns of agents only where rollout.evals of the PromptPack asks for it";

export const PACK_FIELDS: readonly PackField[] = [
  descriptive("$schema", "says which specification the pack was written for"),
  descriptive("id", "names the pack in messages"),
  descriptive("name", "is for people"),
  run("version", "is shown as activeSemver; versions are told apart by their content"),
  descriptive("description", "is for people"),
  descriptive("template_engine", "is {{variable}} with fragments, whatever is said here"),
  run("prompts.*.id", "is a second name of the prompt for promptPackRef.prompt"),
  descriptive("prompts.*.name", "is for people"),
  descriptive("prompts.*.version", "is for people; the pack's own version counts"),
  descriptive("prompts.*.description", "is for people"),
  run("prompts.*.system_template", "is rendered as the system prompt"),
  run("prompts.*.variables[].name", "is the name in templates and in promptPackRef.variables"),
  run("prompts.*.variables[].type", "decides how a value is read"),
  run("prompts.*.variables[].required", "makes a missing value an error"),
  run("prompts.*.variables[].default", "stands in for a missing value"),
  descriptive("prompts.*.variables[].description", "is for people"),
  descriptive("prompts.*.variables[].example", "is for people"),
  run("prompts.*.variables[].validation", "refuses values"),
  run(
    "prompts.*.variables[].binding",
    "fills the variable, with auto_populate, from the session, the agent or the clock",
  ),
  run("prompts.*.tools[]", "limits the tools of the registry that are offered"),
  run("prompts.*.tool_policy", "bounds and chooses tool calls"),
  notRun("prompts.*.pipeline", "is not run: an agent has one pipeline, of prompt, model and tools"),
  run("prompts.*.parameters", "go to the model"),
  run("prompts.*.validators[]", "check answers, and messages with params.direction"),
  notRun("prompts.*.evals[]", EVALS_NOT_RUN),
  descriptive("prompts.*.tested_models[]", "is for people"),
  run("prompts.*.model_overrides.*", "change the template and parameters for a model"),
  notRun("prompts.*.media", "is not used: messages and answers are text"),
  run("fragments.*", "are rendered where templates name them"),
  run("tools.*", "describe tools of the registry to the model"),
  descriptive("metadata", "is for people and for other tools"),
  descriptive("compilation", "is for people and for other tools"),
  notRun("evals[]", EVALS_NOT_RUN),
  descriptive("workflow.version", "says which form of a workflow it is"),
  run("workflow.entry", "is the state of a new session"),
  run("workflow.states.*.prompt_task", "is the prompt of the state"),
  run("workflow.states.*.description", "is told to the model, with the event that leads there"),
  run("workflow.states.*.on_event", "moves the session when the model calls workflow__transition"),
  descriptive("workflow.states.*.persistence", "is not asked: every session keeps its state"),
  run("workflow.states.*.orchestration", "keeps the model, if external, from moving the session"),
  run("workflow.states.*.skills", "limits the skills of the state"),
  run("workflow.states.*.terminal", "ends the transitions of the session"),
  run("workflow.states.*.max_visits", "bounds how often a session comes to the state"),
  run("workflow.states.*.on_max_visits", "is the state that a session comes to then"),
  notRun(
    "workflow.states.*.artifacts",
    "are not run: the next state knows what was said, and nothing else",
  ),
  run("workflow.engine.budget", "bounds the transitions of a session"),
  run("agents.entry", "is the prompt that asks the others"),
  run("agents.members.*", "are asked with tools, such as ask_billing"),
  run("skills[]", "are instructions that the model loads on demand, or part of its prompt"),
];
