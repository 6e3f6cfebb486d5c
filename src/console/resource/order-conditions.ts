/** Conditions as a chain: what is the cause of the others comes first. */
import type { ConditionView } from "../../http-api/resource-views.ts";

/** What each rests on stands before it. A type that is not here comes after these, and before `Ready`. */
const CHAIN = [
  "Managed",
  "SourceValid",
  "PromptPackReady",
  "ToolRegistryReady",
  "ProviderReady",
  "SessionStoreReady",
  "Progressing",
  "AutoscalingReady",
  "Available",
];
const LAST = "Ready";

/** Those that are not as they should be, in the order of the chain, then the others. */
export function orderConditions(conditions: readonly ConditionView[]): ConditionView[] {
  return conditions.toSorted((a, b) => rank(a) - rank(b) || place(a) - place(b));
}

export function isBroken({ status }: ConditionView): boolean {
  return status !== "True";
}

function rank(condition: ConditionView): number {
  return isBroken(condition) ? 0 : 1;
}

function place({ type }: ConditionView): number {
  if (type === LAST) return CHAIN.length + 1;
  const at = CHAIN.indexOf(type);
  return at < 0 ? CHAIN.length : at;
}
