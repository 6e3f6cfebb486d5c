import type { Finding } from "../condition.ts";

export interface AgentCounts {
  /** The number of AgentRuntimes that refer to the pack. */
  readonly referencing: number;
  /** How many of them have a config with the versions that are to run now. */
  readonly notified: number;
  /** How many more refer to the pack from namespaces that it does not allow. 0 if unset. */
  readonly refused?: number | undefined;
}

/** Finds whether every AgentRuntime that refers to the pack has been given its versions. */
export function agentsNotified(counts: AgentCounts): Finding<"PromptPack", "AgentsNotified"> {
  const { referencing, notified, refused = 0 } = counts;
  const type = "AgentsNotified";
  const refusal =
    refused === 0
      ? ""
      : `. It refuses ${countOf(refused)} of namespaces that allowedNamespaces does not allow`;
  if (referencing === 0) {
    const none = refused === 0 ? "No AgentRuntime" : "No AgentRuntime that may";
    return { type, reason: "NoAgents", message: `${none} refers to this PromptPack${refusal}` };
  }
  if (notified < referencing) {
    const message = `Notified ${notified} of ${countOf(referencing)}${refusal}`;
    return { type, reason: "Notifying", message };
  }
  return { type, reason: "Notified", message: `Notified ${countOf(referencing)}${refusal}` };
}

function countOf(agents: number): string {
  return `${agents} AgentRuntime${agents === 1 ? "" : "s"}`;
}
