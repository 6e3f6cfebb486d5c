/** Which agents are shown, and in which order: what wants attention comes first. */
import type { AgentView } from "../../http-api/agent-views.ts";

export interface AgentFilter {
  readonly q?: string | undefined;
  readonly ns?: string | undefined;
  readonly phase?: string | undefined;
}

/** Whether everything that the spec wants is there. */
export function isReady({ explain, ready, wanted }: AgentView): boolean {
  return explain === undefined && ready >= wanted;
}

/** Those that are not ready, then those with a canary, then all others; by name within each. */
export function orderAgents(agents: readonly AgentView[]): AgentView[] {
  return agents.toSorted(
    (a, b) => rank(a) - rank(b) || compare(a.name, b.name) || compare(a.namespace, b.namespace),
  );
}

export function filterAgents(
  agents: readonly AgentView[],
  { q = "", ns, phase }: AgentFilter,
): readonly AgentView[] {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0 && ns === undefined && phase === undefined) return agents;
  return agents.filter((agent) => {
    if (ns !== undefined && agent.namespace !== ns) return false;
    if (phase !== undefined && agent.phase !== phase) return false;
    const text = searchText(agent);
    return words.every((word) => text.includes(word));
  });
}

function searchText({ namespace, name, model, handler, pack, explain }: AgentView): string {
  const parts = [namespace, name, handler, model, pack?.name, pack?.version, explain?.cause];
  return parts
    .filter((part) => part !== undefined)
    .join(" ")
    .toLowerCase();
}

function rank(agent: AgentView): number {
  if (!isReady(agent)) return 0;
  return agent.pack?.canary === undefined ? 2 : 1;
}

/** By the codes of the characters: the order of names of Kubernetes, and cheap for a thousand of them. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
