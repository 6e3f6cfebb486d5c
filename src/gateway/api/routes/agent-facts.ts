import { PROMPT_PACK } from "../../../api/group.ts";
import type { ApiParts } from "../requests/api-parts.ts";
import type { CallerRights } from "../requests/caller-rights.ts";
import type { StoredAgentRuntime } from "../../resource-source.ts";
import { packNameOf, type AgentFacts } from "../views/agent-view.ts";

/** What is known of an agent besides its resource. */
export async function agentFacts(
  { source, gateway, callers }: Pick<ApiParts, "source" | "gateway" | "callers">,
  rights: CallerRights,
  agent: StoredAgentRuntime,
  origin: string,
): Promise<AgentFacts> {
  const { namespace, name } = agent.metadata;
  const packName = packNameOf(agent);
  const maySeePack =
    packName !== undefined &&
    (await rights.may({ verb: "get", resource: "promptpacks", namespace: packName.namespace }));
  const route = gateway.route({ namespace, name });
  return {
    pack: maySeePack ? source.resource(PROMPT_PACK, packName) : undefined,
    connections:
      route.status === "ready"
        ? route.endpoints.reduce((sum, endpoint) => sum + gateway.connections(endpoint), 0)
        : 0,
    webSocketOrigin: origin,
    place: callers.mode,
    can: await rights.withAgents(namespace),
  };
}

/** The address of the gateway as the caller has it, such as `ws://localhost:8080`. */
export function webSocketOrigin(request: {
  header(name: string): string | undefined;
  readonly url: string;
}): string {
  const { host, protocol } = new URL(request.url);
  const isSecure = protocol === "https:" || request.header("x-forwarded-proto") === "https";
  return `${isSecure ? "wss" : "ws"}://${request.header("host") ?? host}`;
}
