/** The pure decision about an event: to which state it moves a session, or why it moves it nowhere. */
import type { WorkflowConfig } from "../../../agent-config/agent-config.ts";
import type { WorkflowPosition } from "../../sessions/history-message.ts";
import { visitsOf } from "./workflow-position.ts";

export type Transition =
  /** `insteadOf`: the state that the event leads to, which may not be visited again. */
  { to: string; insteadOf: string | undefined } | { problem: string };

export function decideTransition(
  workflow: WorkflowConfig,
  position: WorkflowPosition,
  event: string,
  now: number,
): Transition {
  const spent = budgetProblem(workflow, position, now);
  if (spent !== undefined) return { problem: spent };
  const events = eventsOf(workflow, position);
  const target = Object.hasOwn(events, event) ? events[event] : undefined;
  if (target === undefined) {
    const names = Object.keys(events).join(", ") || "none";
    return {
      problem: `the state "${position.state}" has no event ${JSON.stringify(event)}; its events are: ${names}`,
    };
  }
  const seen = new Set<string>();
  let to = target;
  for (;;) {
    seen.add(to);
    const { maxVisits = Infinity, onMaxVisits } = workflow.states[to] ?? {};
    if (visitsOf(position, to) < maxVisits) break;
    if (onMaxVisits === undefined || seen.has(onMaxVisits)) {
      return { problem: `the state "${to}" was visited ${maxVisits} times, and may be no more` };
    }
    to = onMaxVisits;
  }
  return { to, insteadOf: to === target ? undefined : target };
}

/** The events that the session may have now. */
export function eventsOf(
  { states }: WorkflowConfig,
  { state }: WorkflowPosition,
): Readonly<Record<string, string>> {
  return states[state]?.events ?? {};
}

/** Why no transition is made any more. */
export function budgetProblem(
  { budget = {} }: WorkflowConfig,
  { visits, toolCalls, startedAt }: WorkflowPosition,
  now: number,
): string | undefined {
  const total = Object.values(visits).reduce((sum, count) => sum + count, 0);
  const seconds = Math.floor((now - startedAt) / 1_000);
  const { maxTotalVisits, maxToolCalls, maxWallTimeSec } = budget;
  if (maxTotalVisits !== undefined && total >= maxTotalVisits)
    return spent(maxTotalVisits, "visits of states");
  if (maxToolCalls !== undefined && toolCalls >= maxToolCalls)
    return spent(maxToolCalls, "tool calls");
  if (maxWallTimeSec !== undefined && seconds >= maxWallTimeSec)
    return spent(maxWallTimeSec, "seconds");
  return undefined;
}

function spent(limit: number, what: string): string {
  return `the workflow has used up its budget of ${limit} ${what}, and stays in its state`;
}
