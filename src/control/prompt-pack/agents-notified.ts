import type { Finding } from "../condition.ts";

export interface AgentCounts {
  /** The number of AgentRuntimes that refer to the pack. */
  readonly referencing: number;
  /** How many of them have a config with the versions that are to run now. */
  readonly notified: number;
}

/** Finds whether every AgentRuntime that refers to the pack has been given its versions. */
export function agentsNotified({
  referencing,
  notified,
}: AgentCounts): Finding<"PromptPack", "AgentsNotified"> {
  const type = "AgentsNotified";
  if (referencing === 0) {
    return { type, reason: "NoAgents", message: "No AgentRuntime refers to this PromptPack" };
  }
  const agents = `AgentRuntime${referencing === 1 ? "" : "s"}`;
  if (notified < referencing) {
    return {
      type,
      reason: "Notifying",
      message: `Notified ${notified} of ${referencing} ${agents}`,
    };
  }
  return { type, reason: "Notified", message: `Notified ${referencing} ${agents}` };
}
