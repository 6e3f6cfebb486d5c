/** The HTTP API: reads of what there is, and a few writes. Each request is answered by the rights of its caller. */
import { OpenAPIHono } from "@hono/zod-openapi";
import type { HonoRequest } from "hono";
import { etag } from "hono/etag";
import { HTTPException } from "hono/http-exception";
import { matchedRoutes } from "hono/route";
import { API_PREFIX } from "../../http-api/paths.ts";
import type { ApiGateway, ApiHandler } from "../api-handler.ts";
import { CallersUnavailableError, type Callers } from "../caller.ts";
import { beginRequestSpan, endRequestSpan, routeOfPattern } from "../request-span.ts";
import type { ResourceSource } from "../resource-source.ts";
import type { SignRequest } from "../sign-request.ts";
import type { Log } from "../../observability/log.ts";
import type { Clock } from "../../time/clock.ts";
import { ApiProblem, problemResponse } from "./requests/api-problem.ts";
import type { ApiApp, ApiEnvironment, ApiParts } from "./requests/api-parts.ts";
import { CallerRights } from "./requests/caller-rights.ts";
import { KnownMethods } from "./requests/known-methods.ts";
import { requestProblems } from "./requests/request-problems.ts";
import { readBody } from "./requests/read-body.ts";
import { isRead, judgeWrite } from "./requests/write-rule.ts";
import { addAgents } from "./routes/agents.ts";
import { addMe } from "./routes/me.ts";
import { addPacks } from "./routes/packs.ts";
import { addResources } from "./routes/resources.ts";
import { addSessions } from "./routes/sessions.ts";
import { addToolCalls } from "./routes/tool-calls.ts";
import { addToolRegistries } from "./routes/tool-registries.ts";
import { addWatch } from "./routes/watch.ts";
import { addDescription } from "./routes/description.ts";

export interface ApiOptions {
  readonly source: ResourceSource;
  readonly callers: Callers;
  readonly version: string;
  /** Names the stream of changes of this gateway. It has to be another one at each start. */
  readonly streamId: string;
  /** Undefined where agents do not know the gateway, which so cannot ask for their sessions. */
  readonly signRequest?: SignRequest | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

const LEFT = new ApiProblem("Unavailable", "the caller has left");
const WATCH_PATH = `${API_PREFIX}/watch`;

/** Gives the API of a gateway. The gateway is known only later, since the API is a part of it. */
export function createApi(options: ApiOptions): (gateway: ApiGateway) => ApiHandler {
  return (gateway) => {
    const app = apiApp({ ...options, gateway });
    return (request, bindings) => app.fetch(request, bindings);
  };
}

function apiApp(parts: ApiParts): ApiApp {
  const app: ApiApp = new OpenAPIHono<ApiEnvironment>({
    defaultHook: (result) => {
      if (result.success) return undefined;
      throw new ApiProblem("InvalidRequest", requestProblems(result.error.issues, result.target));
    },
  }).basePath(API_PREFIX);
  app.use(async (context, next) => {
    const tracer = parts.gateway.tracer();
    if (tracer === undefined) return next();
    const { method } = context.req;
    const route = matchedRoutes(context).findLast(({ path }) => !path.endsWith("*"))?.path;
    const span = beginRequestSpan(tracer, {
      method,
      traceparent: context.req.header("traceparent"),
      tracestate: context.req.header("tracestate"),
      route: route && routeOfPattern(route),
    });
    try {
      await next();
      // A stream of changes has only begun then.
      endRequestSpan(span, context.res.status);
    } finally {
      span.end("client_left");
    }
  });
  const tag = etag();
  // A stream has no end to make a tag of.
  app.use(async (context, next) => (context.req.path === WATCH_PATH ? next() : tag(context, next)));
  app.use(async (context, next) => {
    judgeWrite(context.req.method, context.req.header());
    const { signal } = context.req.raw;
    const caller = await parts.callers.identify({ headers: context.req.header() }, signal);
    if ("code" in caller) throw new ApiProblem(caller.code, caller.message, { cure: caller.cure });
    context.set("rights", new CallerRights(parts.callers, caller, signal));
    if (!isRead(context.req.method)) {
      // Before the body is read: of a method such as TRACE there can be no request with one.
      const methods = known.of(context.req.path);
      if (!methods.includes(context.req.method)) return notFound(context.req.path, methods);
      await takeBody(context.req);
    }
    return next();
  });
  addMe(app, parts);
  addAgents(app, parts);
  addPacks(app, parts);
  addToolRegistries(app, parts);
  addResources(app, parts);
  addSessions(app, parts);
  addToolCalls(app, parts);
  addWatch(app, parts);
  addDescription(app, parts);
  const known = new KnownMethods(app.routes);
  app.notFound((context) => notFound(context.req.path, known.of(context.req.path)));
  app.onError((error, context) => {
    const { signal } = context.req.raw;
    // Nobody is there who could be answered.
    if (signal.aborted) return problemResponse(LEFT);
    return problemResponse(problemOf(error, parts.log, context.req.path));
  });
  return app;
}

/** Puts the body, read within its limit, in the place of the one that would be read without. */
async function takeBody(request: HonoRequest): Promise<void> {
  const { method, headers, signal } = request.raw;
  const body = await readBody(request.raw);
  request.raw = new Request(request.url, {
    method,
    headers,
    signal,
    body: body === "" ? null : body,
  });
}

function notFound(path: string, methods: readonly string[]): Response {
  if (methods.length === 0) {
    return problemResponse(new ApiProblem("NotFound", `there is nothing at ${path}`));
  }
  const message = `${path} takes ${methods.join(", ")} and no other method`;
  const response = problemResponse(new ApiProblem("InvalidRequest", message, { status: 405 }));
  response.headers.set("allow", methods.join(", "));
  return response;
}

function problemOf(error: Error, log: Log, path: string): ApiProblem {
  if (error instanceof ApiProblem) return error;
  if (error instanceof CallersUnavailableError) {
    return new ApiProblem("Unavailable", "who you are could not be found out just now");
  }
  // A body that is no JSON, for one.
  if (error instanceof HTTPException && error.status < 500) {
    return new ApiProblem("InvalidRequest", error.message, { status: error.status });
  }
  log.error({ error, path }, "A request to the HTTP API failed");
  return new ApiProblem(
    "InternalError",
    "this could not be answered; the log of the gateway says why",
  );
}
