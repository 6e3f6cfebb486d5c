import { createRoute } from "@hono/zod-openapi";
import { OMNIA_KINDS } from "../../../api/group.ts";
import { pageOf } from "../../../http-api/page.ts";
import { MAX_PAGE_SIZE } from "../../../http-api/paths.ts";
import {
  storedResourceSchema,
  type StoredResourceView,
} from "../../../http-api/stored-resource.ts";
import type { StoredResource } from "../../resource-source.ts";
import type { ApiApp, ApiParts } from "../requests/api-parts.ts";
import { pageOfSorted } from "../requests/paging.ts";
import { namespaceSchema, pageQuery } from "../requests/parameters.ts";
import { answers, ERRORS, named } from "../requests/responses.ts";
import { visibleResources } from "./visible-resources.ts";

const list = createRoute({
  method: "get",
  path: "/resources",
  summary: "The resources of all kinds as they are declared, with their statuses",
  request: {
    // Clients that know nothing of parts get as much as one part can have.
    query: pageQuery(MAX_PAGE_SIZE).extend({
      namespace: namespaceSchema.optional().describe("Only of this namespace"),
    }),
  },
  responses: {
    200: answers(
      pageOf(named("StoredResource", storedResourceSchema)),
      "A part of the list. Texts that may hold a credential are hidden",
    ),
    ...ERRORS,
  },
});

export function addResources(app: ApiApp, { source }: ApiParts): void {
  app.openapi(list, async (context) => {
    const { namespace, after, limit } = context.req.valid("query");
    const { rights } = context.var;
    const found = await Promise.all(
      OMNIA_KINDS.map((kind) => visibleResources(source, rights, kind, namespace)),
    );
    const page = pageOfSorted(
      found.flat(),
      ({ kind, metadata }) => [OMNIA_KINDS.indexOf(kind), metadata.namespace, metadata.name],
      { after, limit },
    );
    const items = page.items.map(storedResourceView);
    return context.json({ ...page, items }, 200);
  });
}

function storedResourceView({
  apiVersion,
  kind,
  metadata: { labels, annotations, ...metadata },
  spec,
  status,
}: StoredResource): StoredResourceView {
  return {
    apiVersion,
    kind,
    metadata: {
      ...metadata,
      labels: labels && { ...labels },
      annotations: annotations && { ...annotations },
    },
    spec: { ...spec },
    status: { ...status },
  };
}
