/** Which agent a user means by NAME, by NAMESPACE/NAME, or by nothing where a session is looked for. */
import { nearest } from "../../api/fields/nearest.ts";
import { agentViewSchema, type AgentView } from "../../http-api/agent-views.ts";
import { pageOf } from "../../http-api/page.ts";
import { MAX_PAGE_SIZE } from "../../http-api/paths.ts";
import type { GatewayApi } from "../gateway-api/gateway-api.ts";
import { CliError, EXIT_CODES } from "../terminal/cli-error.ts";

export type AgentName = Pick<AgentView, "namespace" | "name">;

/** No more agents are listed: whoever has more names one. */
const MAX_AGENTS = 10_000;
const MAX_LISTED = 10;
const agentPageSchema = pageOf(agentViewSchema);

export async function listAgents(
  api: GatewayApi,
  namespace: string | undefined,
): Promise<AgentView[]> {
  const agents: AgentView[] = [];
  let after: string | undefined;
  do {
    const query = new URLSearchParams({ limit: String(MAX_PAGE_SIZE) });
    if (namespace !== undefined) query.set("namespace", namespace);
    if (after !== undefined) query.set("after", after);
    const page = await api.get(`/agents?${query.toString()}`, agentPageSchema);
    agents.push(...page.items);
    after = page.next;
  } while (after !== undefined && agents.length < MAX_AGENTS);
  return agents;
}

export async function chooseAgent(
  api: GatewayApi,
  text: string,
  namespaceFlag: string | undefined,
): Promise<AgentName> {
  const { namespace, name } = readAgentName(text, namespaceFlag);
  if (namespace !== undefined) return { namespace, name };
  const agents = await listAgents(api, undefined);
  const named = agents.filter((agent) => agent.name === name);
  const [first, ...more] = named;
  if (first === undefined) throw notFound(agents, name);
  if (more.length === 0) return first;
  throw new CliError(`More than one agent is called ${name}: ${shown(named)}.`, {
    cure: "Say which one with -n NAMESPACE.",
  });
}

export function readAgentName(
  text: string,
  namespaceFlag: string | undefined,
): { namespace: string | undefined; name: string } {
  const [name = "", namespace = namespaceFlag, ...rest] = text.split("/").toReversed();
  const isContradiction = namespaceFlag !== undefined && namespace !== namespaceFlag;
  if (name === "" || namespace === "" || rest.length > 0 || isContradiction) {
    throw new CliError(`${JSON.stringify(text)} names no agent.`, {
      cure: "Give NAME or NAMESPACE/NAME.",
      exitCode: EXIT_CODES.usage,
    });
  }
  return { namespace, name };
}

function notFound(agents: readonly AgentView[], name: string): CliError {
  const near = nearest(
    name,
    agents.map((agent) => agent.name),
  );
  const all = agents.length === 0 ? "There are no agents." : `There are: ${shown(agents)}.`;
  return new CliError(`There is no agent called ${name}.`, {
    cure: near === undefined ? all : `Did you mean ${near}? ${all}`,
  });
}

function shown(agents: readonly AgentView[]): string {
  const names = agents.slice(0, MAX_LISTED).map(({ namespace, name }) => `${namespace}/${name}`);
  const more = agents.length - names.length;
  return names.join(", ") + (more > 0 ? ` and ${more} more` : "");
}
