/**
 * The HTTP API with what a test puts into it, and the built console beside it. Whatever it answers fits the schemas of the real one: what does not is
 * answered with 500.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { streamSSE, type SSEStreamingApi } from "hono/streaming";
import type { z } from "zod";
import { findConsoleFiles } from "../../../src/gateway/console/console-files.ts";
import { consoleRoutes } from "../../../src/gateway/console/console-routes.ts";
import {
  agentDetailSchema,
  agentViewSchema,
  type AgentDetail,
  type AgentView,
} from "../../../src/http-api/agent-views.ts";
import { callerViewSchema, type CallerView } from "../../../src/http-api/caller-view.ts";
import {
  packDetailSchema,
  packDocumentSchema,
  packViewSchema,
  type PackDetail,
  type PackDocument,
} from "../../../src/http-api/pack-views.ts";
import { API_PREFIX, WRITE_HEADER } from "../../../src/http-api/paths.ts";
import {
  toolCallAnswerSchema,
  toolCallRequestSchema,
  toolRegistryDetailSchema,
  toolRegistryViewSchema,
  type ToolCallAnswer,
  type ToolCallRequest,
  type ToolRegistryDetail,
} from "../../../src/http-api/tool-views.ts";
import { watchEventSchema, type WatchEvent } from "../../../src/http-api/watch-events.ts";

export interface FixtureContent {
  caller?: Partial<CallerView> | undefined;
  /** In lists only. */
  agents?: readonly AgentView[] | undefined;
  /** In lists and on their own pages. */
  details?: readonly AgentDetail[] | undefined;
  packs?: readonly PackDetail[] | undefined;
  documents?: readonly PackDocument[] | undefined;
  registries?: readonly ToolRegistryDetail[] | undefined;
  /** What a call of a tool answers. */
  call?: ((tool: string, request: ToolCallRequest) => ToolCallAnswer) | undefined;
  /** What every request has to bring. */
  token?: string | undefined;
}

export interface FixtureApi extends AsyncDisposable {
  readonly url: string;
  /** How many streams of changes are open. */
  readonly watchers: number;
  /** Takes the place of what was there, and tells those who watch. */
  change(content: Partial<FixtureContent>): Promise<void>;
  tell(event: WatchEvent): Promise<void>;
  /** Ends the open streams of changes, and refuses new ones until `resume`. */
  interrupt(): void;
  resume(): void;
}

export async function startFixtureApi(first: FixtureContent, port = 0): Promise<FixtureApi> {
  const files = await findConsoleFiles();
  if (files === undefined) throw new Error("the console is not built: npm run build");
  let content = first;
  let isInterrupted = false;
  let cursor = 0;
  const streams = new Set<SSEStreamingApi>();
  const api = new Hono();

  const lists = () => ({
    agents: [...(content.agents ?? []), ...(content.details ?? [])].map((one) =>
      agentViewSchema.parse(one),
    ),
    packs: (content.packs ?? []).map((one) => packViewSchema.parse(one)),
    registries: (content.registries ?? []).map((one) => toolRegistryViewSchema.parse(one)),
  });
  const snapshot = (): WatchEvent => {
    const { agents, packs, registries } = lists();
    return {
      type: "snapshot",
      items: [
        ...agents.map((item) => ({ kind: "AgentRuntime" as const, item })),
        ...packs.map((item) => ({ kind: "PromptPack" as const, item })),
        ...registries.map((item) => ({ kind: "ToolRegistry" as const, item })),
      ],
    };
  };
  const send = async (stream: SSEStreamingApi, event: WatchEvent): Promise<void> => {
    const { type, ...data } = watchEventSchema.parse(event);
    cursor += 1;
    await stream.writeSSE({ event: type, data: JSON.stringify(data), id: String(cursor) });
  };
  const found = (schema: z.ZodType, value: unknown): Response =>
    value === undefined
      ? failure(404, "NotFound", "There is no such thing here.")
      : Response.json(schema.parse(value));

  api.use(async (context, next) => {
    if (isInterrupted) return failure(503, "Unavailable", "The fixture is interrupted.");
    const { token } = content;
    if (token === undefined || context.req.header("authorization") === `Bearer ${token}`)
      return next();
    return failure(401, "Unauthorized", "This wants a token.");
  });
  api.get("/me", () =>
    found(callerViewSchema, {
      mode: "local",
      namespaces: ["default"],
      version: "0.0.0",
      ...content.caller,
    }),
  );
  api.get("/agents", () => Response.json({ items: lists().agents }));
  api.get("/packs", () => Response.json({ items: lists().packs }));
  api.get("/toolregistries", () => Response.json({ items: lists().registries }));
  api.get("/agents/:namespace/:name", (context) =>
    found(agentDetailSchema, named(content.details, context.req.param())),
  );
  api.get("/packs/:namespace/:name", (context) =>
    found(packDetailSchema, named(content.packs, context.req.param())),
  );
  api.get("/packs/:namespace/:name/versions/:hash", (context) =>
    found(
      packDocumentSchema,
      content.documents?.find(({ hash }) => hash === context.req.param("hash")),
    ),
  );
  api.get("/toolregistries/:namespace/:name", (context) =>
    found(toolRegistryDetailSchema, named(content.registries, context.req.param())),
  );
  api.post("/agents/:namespace/:name/tools/:tool/call", async (context) => {
    if (context.req.header(WRITE_HEADER) === undefined)
      return failure(403, "Forbidden", "A write wants its header.");
    const request = toolCallRequestSchema.parse(await context.req.json());
    return found(toolCallAnswerSchema, content.call?.(context.req.param("tool"), request));
  });
  api.get("/watch", (context) =>
    streamSSE(context, async (stream) => {
      streams.add(stream);
      await send(stream, snapshot());
      await new Promise<void>((resolve) => stream.onAbort(resolve));
      streams.delete(stream);
    }),
  );
  api.onError((error) => failure(500, "InternalError", error.message));

  const app = new Hono();
  app.route(API_PREFIX, api);
  app.route("/", consoleRoutes(files));
  const answer = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const server = createServer((request, response) => void answer(request, response));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const tell = async (event: WatchEvent): Promise<void> => {
    for (const stream of streams) await send(stream, event);
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get watchers() {
      return streams.size;
    },
    tell,
    change: async (changes) => {
      content = { ...content, ...changes };
      await tell(snapshot());
    },
    interrupt: () => {
      isInterrupted = true;
      for (const stream of streams) stream.abort();
      server.closeAllConnections();
    },
    resume: () => {
      isInterrupted = false;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function named<Item extends { namespace: string; name: string }>(
  items: readonly Item[] | undefined,
  { namespace, name }: { namespace: string; name: string },
): Item | undefined {
  return items?.find((item) => item.namespace === namespace && item.name === name);
}

function failure(status: number, code: string, message: string): Response {
  return Response.json({ error: { code, message } }, { status });
}
