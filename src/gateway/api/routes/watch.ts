import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import { AGENT_RUNTIME, OMNIA_KINDS, PROMPT_PACK, TOOL_REGISTRY } from "../../../api/group.ts";
import {
  watchEventSchema,
  type WatchEvent,
  type WatchItem,
} from "../../../http-api/watch-events.ts";
import { Deadline } from "../../../time/deadline.ts";
import type { StoredResource } from "../../resource-source.ts";
import { ApiProblem } from "../requests/api-problem.ts";
import type { ApiApp, ApiParts } from "../requests/api-parts.ts";
import { CallerRights } from "../requests/caller-rights.ts";
import { namespaceSchema } from "../requests/parameters.ts";
import { ERRORS, named, TOO_MANY } from "../requests/responses.ts";
import { agentView } from "../views/agent-view.ts";
import { packView } from "../views/pack-view.ts";
import { toolRegistryView } from "../views/tool-registry-view.ts";
import { ChangeLog, type Change } from "../watch/change-log.ts";
import { StreamPlaces } from "../watch/stream-places.ts";
import { watchStream } from "../watch/watch-stream.ts";
import { agentFacts, webSocketOrigin } from "./agent-facts.ts";
import { RESOURCE_OF, visibleResources } from "./visible-resources.ts";

/** A stream is ended after this time at the latest, and its reader goes on where it was. */
const MAX_STREAM_MS = 60 * 60_000;

const watch = createRoute({
  method: "get",
  path: "/watch",
  summary: "What there is, and each change of it, as server-sent events",
  request: {
    query: z.object({
      namespace: namespaceSchema.optional().describe("Only of this namespace"),
    }),
    headers: z.object({
      "last-event-id": z
        .string()
        .max(256)
        .optional()
        .describe("The id of the event that the caller had last; what came after it follows"),
    }),
  },
  responses: {
    200: {
      description: "The stream. The data of each event is one of these, as JSON",
      content: { "text/event-stream": { schema: named("WatchEvent", watchEventSchema) } },
    },
    ...ERRORS,
    ...TOO_MANY,
  },
});

export function addWatch(app: ApiApp, parts: ApiParts): void {
  const { source, callers, gateway, clock } = parts;
  const log = new ChangeLog(source, parts.streamId);
  gateway.closing.addEventListener("abort", () => log[Symbol.dispose](), { once: true });
  const places = new StreamPlaces();

  app.openapi(watch, async (context) => {
    const { namespace } = context.req.valid("query");
    const { "last-event-id": lastEventId } = context.req.valid("header");
    const { caller } = context.var.rights;
    const origin = webSocketOrigin(context.req);
    const headers = context.req.header();
    const answer = { "content-type": "text/event-stream", "x-accel-buffering": "no" };
    // A HEAD request has no stream, and reads none.
    if (context.req.method === "HEAD") return context.body(null, 200, answer);
    if (gateway.closing.aborted) {
      throw new ApiProblem("Unavailable", "no more streams are taken just now");
    }
    const client = context.req.raw.signal;
    const place = places.take(caller.subject);
    // One who leaves before the stream begins gives its place back, too.
    client.addEventListener("abort", () => place[Symbol.dispose](), { once: true });

    async function* parted(): AsyncGenerator<Uint8Array> {
      using _ = place;
      const encoder = new TextEncoder();
      const ms = Math.min(MAX_STREAM_MS, (caller.expiresAt ?? Infinity) - clock.now());
      using end = new Deadline({ ms, clock, signal: AbortSignal.any([client, gateway.closing]) });
      const { signal } = end;
      // What the caller may see is asked anew each time, since rights are taken away too.
      const rightsNow = (): CallerRights => new CallerRights(callers, caller, signal);
      try {
        const text = watchStream({
          log,
          lastEventId,
          clock,
          signal,
          snapshot: async () => {
            const rights = rightsNow();
            const found = await Promise.all(
              OMNIA_KINDS.map((kind) => visibleResources(source, rights, kind, namespace)),
            );
            const items = await Promise.all(
              found.flat().map((one) => itemOf(parts, rights, one, origin)),
            );
            return { type: "snapshot", items };
          },
          tell: async (changes) => {
            const rights = rightsNow();
            return await Promise.all(
              changes.map((change) => eventOf(parts, rights, change, { namespace, origin })),
            );
          },
        });
        for await (const part of text) {
          // A token may be taken back while the stream goes on. Its reader is then told when it comes again.
          const now = await callers.identify({ headers }, signal);
          if ("code" in now && now.code === "Unauthorized") return;
          yield encoder.encode(part);
        }
      } catch (error) {
        if (!signal.aborted) parts.log.error({ error }, "A stream of changes failed");
      }
    }
    return context.body(ReadableStream.from(parted()), 200, answer);
  });
}

async function eventOf(
  parts: ApiParts,
  rights: CallerRights,
  { name, ...change }: Change,
  { namespace, origin }: { namespace: string | undefined; origin: string },
): Promise<WatchEvent | undefined> {
  if (namespace !== undefined && name.namespace !== namespace) return undefined;
  const resource = RESOURCE_OF[name.kind];
  if (!(await rights.may({ verb: "list", resource, namespace: name.namespace }))) return undefined;
  switch (change.type) {
    case "removed":
      return { type: "removed", removed: name };
    case "event":
      return { type: "event", about: name, event: change.event };
    case "changed": {
      const found = parts.source.resource(name.kind, name);
      // It is gone by now, which is told next.
      if (found === undefined) return undefined;
      return { type: "changed", change: await itemOf(parts, rights, found, origin) };
    }
  }
}

async function itemOf(
  parts: ApiParts,
  rights: CallerRights,
  resource: StoredResource,
  origin: string,
): Promise<WatchItem> {
  switch (resource.kind) {
    case AGENT_RUNTIME: {
      const facts = await agentFacts(parts, rights, resource, origin);
      return { kind: AGENT_RUNTIME, item: agentView(resource, facts) };
    }
    case PROMPT_PACK:
      return { kind: PROMPT_PACK, item: packView(resource, parts.callers.mode) };
    case TOOL_REGISTRY:
      return { kind: TOOL_REGISTRY, item: toolRegistryView(resource, parts.callers.mode) };
  }
}
