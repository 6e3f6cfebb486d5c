/** Finds the prompts that an agent runs, from a pack and what the agent asks of it. */
import type { PromptPackDocument } from "../document/prompt-pack-document.ts";
import { isReadSkill, type PackSkill } from "../document/skills.ts";
import { Patterns } from "../patterns/patterns.ts";
import { WorkBudget } from "../patterns/work-budget.ts";
import type { PromptFailure, PromptRequest } from "./prompt-request.ts";
import { MAX_RENDERED_BYTES } from "./render-templates.ts";
import { type ResolvedAgents, resolveAgents, withoutMembers } from "./resolve-agents.ts";
import { type ResolvedStep, resolveStep } from "./resolve-step.ts";
import { type ResolvedWorkflow, resolveWorkflow } from "./resolve-workflow.ts";
import { selectPrompt } from "./select-prompt.ts";

/** To match the values of all prompts with their patterns. */
export const MAX_VALUES_STEPS = 6_000_000;
/** Prompts that a session may come to, beside the first one. */
export const MAX_OTHER_PROMPTS = 63;

export interface ResolvedPrompt extends ResolvedStep {
  /** The version of the pack. */
  semver: string;
  /** Those that can be read. Of two with one name, the later one. */
  skills: readonly PackSkill[];
  /** The other prompts that a session may come to, by their keys in the pack. */
  others: Readonly<Record<string, ResolvedStep>>;
  /** Set when the prompt is the one with which the workflow of the pack begins. */
  workflow: ResolvedWorkflow | undefined;
  /** Set when one of the prompts is the entry of the agents of the pack. */
  agents: ResolvedAgents | undefined;
}

export type PromptResolution = { ok: true; value: ResolvedPrompt } | PromptFailure;

export function resolvePrompt(pack: PromptPackDocument, request: PromptRequest): PromptResolution {
  const selected = selectPrompt(pack, request.prompt);
  if (!selected.ok) return { ok: false, reason: "PromptNotFound", message: selected.message };
  const { name } = selected;
  const patterns = new Patterns(new WorkBudget(MAX_VALUES_STEPS));
  const workflow = resolveWorkflow(pack, name);
  const states = Object.values(workflow?.states ?? {});
  const reachable = new Set([name, ...states.map(({ prompt }) => prompt)]);
  const agents = resolveAgents(pack, reachable);
  for (const member of Object.keys(agents?.members ?? {})) reachable.add(member);
  if (reachable.size > 1 + MAX_OTHER_PROMPTS) {
    const message = `a session can come to more than ${1 + MAX_OTHER_PROMPTS} prompts; let states share them`;
    return { ok: false, reason: "Invalid", message };
  }
  const steps = new Map<string, ResolvedStep>();
  for (const each of reachable) {
    const resolution = resolveStep(pack, each, request, patterns);
    if (!resolution.ok) return resolution;
    const { tools } = resolution.value;
    const ofRegistry = tools && agents && { tools: withoutMembers(tools, agents) };
    steps.set(each, { ...resolution.value, ...ofRegistry });
  }
  const first = steps.get(name);
  if (first === undefined) throw new Error("the first prompt is among those that are reached");
  const skills = skillsOf(pack);
  if (steps.size > 1 || skills.length > 0) {
    const texts = [...steps.values()].map(({ system }) => system);
    if (Buffer.byteLength(JSON.stringify([texts, skills, workflow])) > MAX_RENDERED_BYTES) {
      const what = [steps.size > 1 && "its other prompts", skills.length > 0 && "its skills"];
      const message = `prompt "${name}": with ${what.filter(Boolean).join(" and ")} it is larger than ${MAX_RENDERED_BYTES / 1024} KiB; shorten them`;
      return { ok: false, reason: "Invalid", message };
    }
  }
  steps.delete(name);
  const used = [first, ...steps.values()];
  return {
    ok: true,
    value: {
      ...first,
      semver: pack.version,
      skills,
      others: Object.fromEntries(steps),
      workflow,
      agents,
      unusedVariables: first.unusedVariables.filter((variable) =>
        used.every(({ unusedVariables }) => unusedVariables.includes(variable)),
      ),
    },
  };
}

function skillsOf({ skills = [] }: PromptPackDocument): PackSkill[] {
  const byName = new Map(skills.filter(isReadSkill).map((skill) => [skill.name, skill]));
  return [...byName.values()];
}
