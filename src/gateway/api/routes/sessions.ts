import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import { DEFAULT_PAGE_SIZE } from "../../../http-api/paths.ts";
import { mergeSessionPages } from "../../../http-api/session-pages.ts";
import {
  forkedSessionSchema,
  forkRequestSchema,
  SESSION_STATES,
  sessionPageSchema,
  sessionTimelineSchema,
  timelineQuerySchema,
} from "../../../http-api/session-views.ts";
import type { ApiApp, ApiParts } from "../requests/api-parts.ts";
import { objectParameters, pageQuery } from "../requests/parameters.ts";
import { answers, ERRORS, FORBIDDEN, named } from "../requests/responses.ts";
import type { Question } from "../sessions/agent-replicas.ts";
import { openAgent } from "./open-agent.ts";

/** The agent gives up after 10 seconds itself, and says so. */
const TIMEOUT_MS = 12_000;
const MAX_VERSION_LENGTH = 64;

const sessionParameters = objectParameters.extend({
  id: z
    .string()
    .regex(/^[\w.:~-]{1,256}$/, "is no id of a session")
    .describe("The id of the session"),
});

const list = createRoute({
  method: "get",
  path: "/agents/{namespace}/{name}/sessions",
  summary: "The sessions of an agent, those that were active last first",
  request: {
    params: objectParameters,
    query: pageQuery(DEFAULT_PAGE_SIZE).extend({
      state: z.enum(SESSION_STATES).optional().describe("Only those in this state"),
      version: z
        .string()
        .max(MAX_VERSION_LENGTH)
        .optional()
        .describe("Only those that have this version of the pack, by its hash"),
    }),
  },
  responses: {
    200: answers(named("SessionPage", sessionPageSchema), "A part of the list"),
    ...ERRORS,
    ...FORBIDDEN,
  },
});

const read = createRoute({
  method: "get",
  path: "/agents/{namespace}/{name}/sessions/{id}",
  summary: "A session with its messages and its turns",
  request: {
    params: sessionParameters,
    query: timelineQuerySchema.extend({
      since: timelineQuerySchema.shape.since.describe(
        "Only what came from this turn on; all, where the turn is not known",
      ),
    }),
  },
  responses: {
    200: answers(named("SessionTimeline", sessionTimelineSchema), "The session"),
    ...ERRORS,
    ...FORBIDDEN,
  },
});

const remove = createRoute({
  method: "delete",
  path: "/agents/{namespace}/{name}/sessions/{id}",
  summary: "Deletes a session with all that is kept of it",
  request: { params: sessionParameters },
  responses: { 204: { description: "It is gone" }, ...ERRORS, ...FORBIDDEN },
});

const fork = createRoute({
  method: "post",
  path: "/agents/{namespace}/{name}/sessions/{id}/fork",
  summary: "Makes a new session of the caller with what was said in this one",
  request: {
    params: sessionParameters,
    body: {
      content: { "application/json": { schema: named("ForkRequest", forkRequestSchema) } },
      required: true,
    },
  },
  responses: {
    200: answers(named("ForkedSession", forkedSessionSchema), "The new session"),
    ...ERRORS,
    ...FORBIDDEN,
  },
});

export function addSessions(app: ApiApp, parts: ApiParts): void {
  app.openapi(list, async (context) => {
    const { namespace, name } = context.req.valid("param");
    const { after, limit, state, version } = context.req.valid("query");
    const { replicas, hasOneStore } = await openAgent(
      parts,
      context,
      { namespace, name },
      {
        verb: "get",
        subresource: "sessions",
      },
    );
    const query = new URLSearchParams({ limit: String(limit) });
    if (after !== undefined) query.set("after", after);
    if (state !== undefined) query.set("state", state);
    if (version !== undefined) query.set("version", version);
    const path = `/sessions?${query.toString()}`;
    const question: Question = { verb: "sessions:get", method: "GET", path, timeoutMs: TIMEOUT_MS };
    if (hasOneStore) return context.json(await replicas.askAny(question, sessionPageSchema), 200);
    const { answers: pages, isComplete } = await replicas.askEach(question, sessionPageSchema);
    const merged = mergeSessionPages(pages, limit);
    return context.json({ ...merged, incomplete: isComplete ? undefined : true }, 200);
  });

  app.openapi(read, async (context) => {
    const { id, ...agent } = context.req.valid("param");
    const { since = "" } = context.req.valid("query");
    const { ask } = await openAgent(parts, context, agent, {
      verb: "get",
      subresource: "sessions",
    });
    const query = since === "" ? "" : `?since=${encodeURIComponent(since)}`;
    const path = `/sessions/${encodeURIComponent(id)}${query}`;
    const question: Question = { verb: "sessions:get", method: "GET", path, timeoutMs: TIMEOUT_MS };
    return context.json(await ask(question, sessionTimelineSchema), 200);
  });

  app.openapi(remove, async (context) => {
    const { id, ...agent } = context.req.valid("param");
    const { ask } = await openAgent(parts, context, agent, {
      verb: "delete",
      subresource: "sessions",
    });
    const path = `/sessions/${encodeURIComponent(id)}`;
    await ask(
      { verb: "sessions:delete", method: "DELETE", path, timeoutMs: TIMEOUT_MS },
      z.undefined(),
    );
    return context.body(null, 204);
  });

  app.openapi(fork, async (context) => {
    const { id, ...agent } = context.req.valid("param");
    const body = context.req.valid("json");
    const { ask } = await openAgent(parts, context, agent, {
      verb: "create",
      subresource: "sessions",
    });
    const path = `/sessions/${encodeURIComponent(id)}/fork`;
    const question: Question = {
      verb: "sessions:create",
      method: "POST",
      path,
      body,
      timeoutMs: TIMEOUT_MS,
    };
    return context.json(await ask(question, forkedSessionSchema), 200);
  });
}
