import type { Context } from "hono";
import type { z } from "zod";
import { AGENT_RUNTIME } from "../../../api/group.ts";
import type { Action } from "../../caller.ts";
import type { ObjectName } from "../../resource-source.ts";
import { ApiProblem } from "../requests/api-problem.ts";
import type { ApiEnvironment, ApiParts } from "../requests/api-parts.ts";
import { requireRight } from "../requests/caller-rights.ts";
import { AgentReplicas, type Question } from "../sessions/agent-replicas.ts";
import { visibleResource } from "./visible-resources.ts";

export interface OpenAgent {
  readonly replicas: AgentReplicas;
  /** Whether every replica knows every session. */
  readonly hasOneStore: boolean;
  /** Asks about one session, wherever it is. */
  readonly ask: <Schema extends z.ZodType>(
    question: Question,
    schema: Schema,
  ) => Promise<z.output<Schema>>;
}

/** Rejects with an ApiProblem unless the caller may see the agent, has the right, and the agent has replicas to ask. */
export async function openAgent(
  { source, gateway, signRequest, clock, log }: ApiParts,
  context: Context<ApiEnvironment>,
  name: ObjectName,
  action: Pick<Action, "verb" | "subresource">,
): Promise<OpenAgent> {
  const { rights } = context.var;
  const agent = await visibleResource(source, rights, AGENT_RUNTIME, name);
  await requireRight(rights, {
    ...action,
    resource: "agentruntimes",
    namespace: name.namespace,
  });
  if (signRequest === undefined) {
    throw new ApiProblem("Unavailable", "this gateway has no key by which agents would know it", {
      cure: "Start the operator with --gateway, and the gateway with --gateway-key-file.",
    });
  }
  const replicas = new AgentReplicas({
    agent: name,
    route: gateway.route(name),
    subject: rights.caller.subject,
    signRequest,
    clock,
    log,
    signal: context.req.raw.signal,
  });
  const hasOneStore = agent.spec.session.type === "redis";
  return {
    replicas,
    hasOneStore,
    ask: (question, schema) =>
      hasOneStore ? replicas.askAny(question, schema) : replicas.askOwner(question, schema),
  };
}
