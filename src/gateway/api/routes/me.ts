import { createRoute } from "@hono/zod-openapi";
import { callerViewSchema } from "../../../http-api/caller-view.ts";
import type { ApiApp, ApiParts } from "../requests/api-parts.ts";
import { answers, ERRORS, named } from "../requests/responses.ts";
import { visibleNamespaces } from "./visible-resources.ts";

const me = createRoute({
  method: "get",
  path: "/me",
  summary: "Who the caller is, and in which namespaces it may see agents",
  responses: { 200: answers(named("CallerView", callerViewSchema), "The caller"), ...ERRORS },
});

export function addMe(app: ApiApp, { source, callers, version }: ApiParts): void {
  app.openapi(me, async (context) => {
    const { rights } = context.var;
    const { subject, expiresAt } = rights.caller;
    const namespaces = await visibleNamespaces(source, rights, "agentruntimes");
    return context.json(
      {
        subject,
        mode: callers.mode,
        namespaces: [...namespaces].toSorted(),
        expiresAt: expiresAt === undefined ? undefined : new Date(expiresAt).toISOString(),
        version,
      },
      200,
    );
  });
}
