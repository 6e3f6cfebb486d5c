import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import { AGENT_RUNTIME, PROMPT_PACK } from "../../../api/group.ts";
import {
  packDetailSchema,
  packDocumentSchema,
  packViewSchema,
} from "../../../http-api/pack-views.ts";
import { pageOf } from "../../../http-api/page.ts";
import { ApiProblem } from "../requests/api-problem.ts";
import type { ApiApp, ApiParts } from "../requests/api-parts.ts";
import { pageOfSorted } from "../requests/paging.ts";
import { listQuery, objectParameters } from "../requests/parameters.ts";
import { answers, ERRORS, named } from "../requests/responses.ts";
import { agentsOfPack, packDetail, packView } from "../views/pack-view.ts";
import { isNamed, sortKeyOf } from "./list-order.ts";
import { visibleResource, visibleResources } from "./visible-resources.ts";

const list = createRoute({
  method: "get",
  path: "/packs",
  summary:
    "The prompt packs: those that are not well first, then those with a canary, then by name",
  request: { query: listQuery },
  responses: {
    200: answers(pageOf(named("PackView", packViewSchema)), "A part of the list"),
    ...ERRORS,
  },
});

const detail = createRoute({
  method: "get",
  path: "/packs/{namespace}/{name}",
  summary: "A prompt pack with the versions that are kept of it",
  request: { params: objectParameters },
  responses: { 200: answers(named("PackDetail", packDetailSchema), "The pack"), ...ERRORS },
});

const version = createRoute({
  method: "get",
  path: "/packs/{namespace}/{name}/versions/{version}",
  summary: "The document of a version, as it was accepted",
  request: {
    params: objectParameters.extend({
      version: z
        .string()
        .regex(/^[0-9a-f]{12}$/, "is no hash of a version, which has 12 hexadecimal digits")
        .describe("The hash of its content"),
    }),
  },
  responses: { 200: answers(named("PackDocument", packDocumentSchema), "The document"), ...ERRORS },
});

export function addPacks(app: ApiApp, { source, callers }: ApiParts): void {
  app.openapi(list, async (context) => {
    const { namespace, q, phase, after, limit } = context.req.valid("query");
    const found = await visibleResources(source, context.var.rights, PROMPT_PACK, namespace);
    const views = found
      .map((pack) => packView(pack, callers.mode))
      .filter((view) => (phase === undefined || view.phase === phase) && isNamed(view, q));
    const keyOf = (view: (typeof views)[number]) => sortKeyOf(view, view.canary !== undefined);
    return context.json(pageOfSorted(views, keyOf, { after, limit }), 200);
  });
  app.openapi(detail, async (context) => {
    const { rights } = context.var;
    const name = context.req.valid("param");
    const pack = await visibleResource(source, rights, PROMPT_PACK, name);
    const agents = await visibleResources(source, rights, AGENT_RUNTIME);
    return context.json(
      packDetail(pack, {
        place: callers.mode,
        versions: await source.packVersions(name, context.req.raw.signal),
        agents: agentsOfPack(pack, agents),
        events: source.events({ kind: PROMPT_PACK, ...name }),
      }),
      200,
    );
  });
  app.openapi(version, async (context) => {
    const { namespace, name, version: hash } = context.req.valid("param");
    const { signal } = context.req.raw;
    await visibleResource(source, context.var.rights, PROMPT_PACK, { namespace, name });
    const document = await source.packDocument({ namespace, name }, hash, signal);
    if (document === undefined) {
      throw new ApiProblem(
        "NotFound",
        `no version ${hash} of PromptPack ${namespace}/${name} is kept`,
      );
    }
    const { version: semver } = document;
    // What has a hash never changes.
    context.header("etag", `"${hash}"`);
    return context.json(
      { hash, version: typeof semver === "string" ? semver : undefined, document: { ...document } },
      200,
    );
  });
}
