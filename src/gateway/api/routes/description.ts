import type { ApiApp, ApiParts } from "../requests/api-parts.ts";

const DESCRIPTION =
  "What runs, why it is not ready, its packs, tools and sessions. Errors have a code, a message for people and mostly a cure. " +
  "A write wants the header X-Omnia-Request, with any value.";

/** The description of the API by the API itself. */
export function apiDocument(app: ApiApp, version: string) {
  return app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: { title: "Omnia", version, description: DESCRIPTION },
  });
}

/** It comes last, so that all other paths are in it. */
export function addDescription(app: ApiApp, { version }: ApiParts): void {
  let document: string | undefined;
  app.get("/openapi.json", (context) => {
    document ??= JSON.stringify(apiDocument(app, version));
    return context.body(document, 200, { "content-type": "application/json" });
  });
}
