import type { ReplicaView } from "../../../http-api/agent-views.ts";
import { replicaFactsSchema } from "../../../http-api/replica-facts.ts";
import type { ObjectName } from "../../resource-source.ts";
import type { ApiParts } from "../requests/api-parts.ts";
import { AgentReplicas } from "../sessions/agent-replicas.ts";

/** A replica that is slower is shown without what it would say of itself. */
const TIMEOUT_MS = 1_000;

/** The replicas of an agent, with what those that answer say of themselves. */
export async function replicasOf(
  { source, gateway, signRequest, clock, log }: ApiParts,
  agent: ObjectName,
  signal: AbortSignal,
): Promise<ReplicaView[]> {
  const known = source.replicas(agent);
  const route = gateway.route(agent);
  if (signRequest === undefined || route.status !== "ready") return [...known];
  const replicas = new AgentReplicas({
    agent,
    route,
    // What a replica does is told to those who may see the agent, whoever they are.
    subject: undefined,
    signRequest,
    clock,
    log,
    signal,
  });
  const facts = await replicas.askThoseThere(
    { verb: "replica:get", method: "GET", path: "/replica", timeoutMs: TIMEOUT_MS },
    replicaFactsSchema,
  );
  return known.map((replica) => {
    const own = facts.find(({ name }) => name === replica.name);
    if (own === undefined) return replica;
    return {
      ...replica,
      connections: own.connections,
      turns: own.turns,
      tokensToday: own.tokensToday,
    };
  });
}
