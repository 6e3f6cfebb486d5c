/** The workflow of a pack as an agent runs it: the states that a session can come to. */
import { keyOfPath } from "../document/skills.ts";
import type { PromptPackDocument } from "../document/prompt-pack-document.ts";

export interface ResolvedState {
  /** The key of its prompt. */
  prompt: string;
  description?: string | undefined;
  /** Event → state. None in a terminal state, and none where something outside would have to move the session. */
  events: Readonly<Record<string, string>>;
  maxVisits?: number | undefined;
  onMaxVisits?: string | undefined;
  /** `none`, or the folder of the skills that the state has. Without it the state has all of them. */
  skills?: string | undefined;
}

export interface ResolvedWorkflow {
  entry: string;
  states: Readonly<Record<string, ResolvedState>>;
  budget?:
    | {
        maxTotalVisits?: number | undefined;
        maxToolCalls?: number | undefined;
        maxWallTimeSec?: number | undefined;
      }
    | undefined;
}

/** Undefined where the pack has no workflow, or `prompt` is not the one with which it begins. */
export function resolveWorkflow(
  { workflow }: PromptPackDocument,
  prompt: string,
): ResolvedWorkflow | undefined {
  if (workflow === undefined || workflow.states[workflow.entry]?.prompt_task !== prompt) {
    return undefined;
  }
  const states: Record<string, ResolvedState> = {};
  const open = [workflow.entry];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const state = workflow.states[name];
    if (state === undefined || Object.hasOwn(states, name)) continue;
    const isFixed = state.terminal === true || state.orchestration === "external";
    const events = isFixed ? {} : (state.on_event ?? {});
    states[name] = {
      prompt: state.prompt_task,
      description: state.description,
      events,
      maxVisits: state.max_visits,
      onMaxVisits: state.on_max_visits,
      skills:
        state.skills === undefined || state.skills === "none"
          ? state.skills
          : keyOfPath(state.skills),
    };
    open.push(...Object.values(events));
    if (state.on_max_visits !== undefined) open.push(state.on_max_visits);
  }
  const budget = workflow.engine?.budget;
  return {
    entry: workflow.entry,
    states,
    budget: budget && {
      maxTotalVisits: budget.max_total_visits,
      maxToolCalls: budget.max_tool_calls,
      maxWallTimeSec: budget.max_wall_time_sec,
    },
  };
}
