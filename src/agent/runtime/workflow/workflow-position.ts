/**
 * Where a session is in the workflow of its pack. It is read from the messages of the session, so that every replica finds the same
 * and nothing else has to be stored: each answer says where the session was, and the result of a transition where it went.
 */
import type { WorkflowConfig } from "../../../agent-config/agent-config.ts";
import type { HistoryMessage, WorkflowPosition } from "../../sessions/history-message.ts";

/** A session that was never in a state of this workflow is at its entry. `now`: milliseconds since 1970. */
export function positionAfter(
  workflow: WorkflowConfig,
  messages: readonly HistoryMessage[],
  now: number,
): WorkflowPosition {
  const { entry } = workflow;
  let position: WorkflowPosition = {
    state: entry,
    visits: { [entry]: 1 },
    toolCalls: 0,
    startedAt: now,
  };
  for (const message of messages) {
    if (message.role === "assistant" && message.workflow !== undefined) {
      // The oldest messages of a long session are forgotten, so the last answer says what they led to.
      position = message.workflow;
    } else if (message.role === "tool") {
      position = { ...position, toolCalls: position.toolCalls + 1 };
      if (message.state !== undefined) position = moved(position, message.state);
    }
  }
  if (Object.hasOwn(workflow.states, position.state)) return position;
  // The session goes on with another version of the pack, which has no such state.
  return { ...position, state: entry, visits: { ...position.visits, [entry]: 1 } };
}

export function moved(position: WorkflowPosition, state: string): WorkflowPosition {
  const { visits } = position;
  return { ...position, state, visits: { ...visits, [state]: visitsOf(position, state) + 1 } };
}

export function visitsOf({ visits }: WorkflowPosition, state: string): number {
  return Object.hasOwn(visits, state) ? (visits[state] ?? 0) : 0;
}
