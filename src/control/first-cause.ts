/** Finds among the conditions that do not hold the one to mend first: when a replica waits for a reference, that of the reference. */
import type { OmniaKind } from "../api/group.ts";

/** The type of a condition, or the type and the reason where another place counts for that reason. */
const CAUSES_FIRST: Readonly<Record<OmniaKind, readonly string[]>> = {
  AgentRuntime: [
    "PromptPackReady",
    "ProviderReady",
    "SessionStoreReady",
    "Progressing",
    "Available",
    "Progressing RolloutStuck",
    "ToolRegistryReady",
    "Managed",
  ],
  PromptPack: ["SourceValid", "AgentsNotified"],
  ToolRegistry: ["ToolsAvailable", "AllToolsReady"],
};
/** These reasons only say that something else is the cause, or that it takes a while. */
const CONSEQUENCES: readonly string[] = ["WaitingForReferences", "WaitingForPods", "RollingOut"];
/** Whatever this condition says keeps no replica from serving. */
const HARMLESS = "AutoscalingReady";
/** This condition follows from all others. */
const SUMMARY = "Ready";

interface Named {
  readonly type: string;
  readonly reason: string;
}

export function firstCause<Broken extends Named>(
  kind: OmniaKind,
  broken: readonly Broken[],
): Broken | undefined {
  return broken.toSorted((a, b) => rank(kind, a) - rank(kind, b))[0];
}

function rank(kind: OmniaKind, { type, reason }: Named): number {
  const order = CAUSES_FIRST[kind];
  if (type === SUMMARY) return order.length + 2;
  if (type === HARMLESS) return order.length + 1;
  if (CONSEQUENCES.includes(reason)) return order.length;
  const special = order.indexOf(`${type} ${reason}`);
  const place = special >= 0 ? special : order.indexOf(type);
  return place >= 0 ? place : order.length;
}
