import { createRoute } from "@hono/zod-openapi";
import { AGENT_RUNTIME } from "../../../api/group.ts";
import {
  agentDetailSchema,
  agentViewSchema,
  type AgentView,
} from "../../../http-api/agent-views.ts";
import { pageOf } from "../../../http-api/page.ts";
import type { ApiApp, ApiParts } from "../requests/api-parts.ts";
import { pageOfSorted } from "../requests/paging.ts";
import { listQuery, objectParameters } from "../requests/parameters.ts";
import { answers, ERRORS, named } from "../requests/responses.ts";
import { agentDetail, agentView, packNameOf } from "../views/agent-view.ts";
import { suggestions } from "../views/suggestions.ts";
import { agentFacts, webSocketOrigin } from "./agent-facts.ts";
import { isNamed, sortKeyOf } from "./list-order.ts";
import { replicasOf } from "./replicas-of.ts";
import { visibleResource, visibleResources } from "./visible-resources.ts";

const list = createRoute({
  method: "get",
  path: "/agents",
  summary: "The agents: those that are not ready first, then those with a canary, then by name",
  request: { query: listQuery },
  responses: {
    200: answers(pageOf(named("AgentView", agentViewSchema)), "A part of the list"),
    ...ERRORS,
  },
});

const detail = createRoute({
  method: "get",
  path: "/agents/{namespace}/{name}",
  summary: "An agent with its conditions, events and replicas",
  request: { params: objectParameters },
  responses: { 200: answers(named("AgentDetail", agentDetailSchema), "The agent"), ...ERRORS },
});

export function addAgents(app: ApiApp, parts: ApiParts): void {
  const { source } = parts;
  app.openapi(list, async (context) => {
    const { rights } = context.var;
    const { namespace, q, phase, after, limit } = context.req.valid("query");
    const origin = webSocketOrigin(context.req);
    const found = await visibleResources(source, rights, AGENT_RUNTIME, namespace);
    const views = await Promise.all(
      found.map(async (agent) => agentView(agent, await agentFacts(parts, rights, agent, origin))),
    );
    const wanted = views.filter(
      (view) =>
        (phase === undefined || view.phase === phase) &&
        isNamed(view, q, view.model, view.pack?.name),
    );
    const keyOf = (view: AgentView) => sortKeyOf(view, view.pack?.canary !== undefined);
    return context.json(pageOfSorted(wanted, keyOf, { after, limit }), 200);
  });
  app.openapi(detail, async (context) => {
    const { rights } = context.var;
    const name = context.req.valid("param");
    const agent = await visibleResource(source, rights, AGENT_RUNTIME, name);
    const origin = webSocketOrigin(context.req);
    const facts = await agentFacts(parts, rights, agent, origin);
    const pack = packNameOf(agent);
    const version = agent.status.promptPackVersion;
    const document =
      pack === undefined || facts.pack === undefined || version === undefined
        ? undefined
        : await source.packDocument(pack, version, context.req.raw.signal);
    return context.json(
      agentDetail(agent, {
        ...facts,
        replicas: await replicasOf(parts, name, context.req.raw.signal),
        events: source.events({ kind: AGENT_RUNTIME, ...name }),
        suggestions: suggestions(agent, document),
      }),
      200,
    );
  });
}
