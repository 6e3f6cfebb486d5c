import { createRoute } from "@hono/zod-openapi";
import { AGENT_RUNTIME, TOOL_REGISTRY } from "../../../api/group.ts";
import { pageOf } from "../../../http-api/page.ts";
import { toolRegistryDetailSchema, toolRegistryViewSchema } from "../../../http-api/tool-views.ts";
import type { ApiApp, ApiParts } from "../requests/api-parts.ts";
import { pageOfSorted } from "../requests/paging.ts";
import { listQuery, objectParameters } from "../requests/parameters.ts";
import { answers, ERRORS, named } from "../requests/responses.ts";
import {
  agentsOfRegistry,
  toolRegistryDetail,
  toolRegistryView,
} from "../views/tool-registry-view.ts";
import { isNamed, sortKeyOf } from "./list-order.ts";
import { visibleResource, visibleResources } from "./visible-resources.ts";

const list = createRoute({
  method: "get",
  path: "/toolregistries",
  summary: "The tool registries: those that are not well first, then by name",
  request: { query: listQuery },
  responses: {
    200: answers(pageOf(named("ToolRegistryView", toolRegistryViewSchema)), "A part of the list"),
    ...ERRORS,
  },
});

const detail = createRoute({
  method: "get",
  path: "/toolregistries/{namespace}/{name}",
  summary: "A tool registry with its tools",
  request: { params: objectParameters },
  responses: {
    200: answers(named("ToolRegistryDetail", toolRegistryDetailSchema), "The registry"),
    ...ERRORS,
  },
});

export function addToolRegistries(app: ApiApp, { source, callers }: ApiParts): void {
  app.openapi(list, async (context) => {
    const { namespace, q, phase, after, limit } = context.req.valid("query");
    const found = await visibleResources(source, context.var.rights, TOOL_REGISTRY, namespace);
    const views = found
      .map((registry) => toolRegistryView(registry, callers.mode))
      .filter((view) => (phase === undefined || view.phase === phase) && isNamed(view, q));
    return context.json(
      pageOfSorted(views, (view) => sortKeyOf(view, false), { after, limit }),
      200,
    );
  });
  app.openapi(detail, async (context) => {
    const { rights } = context.var;
    const name = context.req.valid("param");
    const registry = await visibleResource(source, rights, TOOL_REGISTRY, name);
    const agents = await visibleResources(source, rights, AGENT_RUNTIME);
    return context.json(
      toolRegistryDetail(registry, {
        place: callers.mode,
        tools: source.tools(name),
        agents: agentsOfRegistry(registry, agents),
        events: source.events({ kind: TOOL_REGISTRY, ...name }),
      }),
      200,
    );
  });
}
