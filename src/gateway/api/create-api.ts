/** The HTTP API: reads of what there is, and a few writes. Each request is answered by the rights of its caller. */
import { OpenAPIHono } from "@hono/zod-openapi";
import { API_PREFIX } from "../../http-api/paths.ts";
import type { ApiGateway, ApiHandler } from "../api-handler.ts";
import { CallersUnavailableError, type Callers } from "../caller.ts";
import type { ResourceSource } from "../resource-source.ts";
import type { Log } from "../../observability/log.ts";
import type { Clock } from "../../time/clock.ts";
import { ApiProblem, problemResponse } from "./requests/api-problem.ts";
import type { ApiApp, ApiEnvironment, ApiParts } from "./requests/api-parts.ts";
import { CallerRights } from "./requests/caller-rights.ts";
import { addAgents } from "./routes/agents.ts";
import { addMe } from "./routes/me.ts";
import { addPacks } from "./routes/packs.ts";
import { addResources } from "./routes/resources.ts";
import { addToolRegistries } from "./routes/tool-registries.ts";

export interface ApiOptions {
  readonly source: ResourceSource;
  readonly callers: Callers;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
}

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
      const problems = result.error.issues.map(
        ({ path, message }) => `${path.join(".") || result.target}: ${message}`,
      );
      throw new ApiProblem("InvalidRequest", problems.join("; "));
    },
  }).basePath(API_PREFIX);
  app.use(async (context, next) => {
    const { signal } = context.req.raw;
    const caller = await parts.callers.identify({ headers: context.req.header() }, signal);
    if ("code" in caller) throw new ApiProblem(caller.code, caller.message, { cure: caller.cure });
    context.set("rights", new CallerRights(parts.callers, caller, signal));
    await next();
  });
  addMe(app, parts);
  addAgents(app, parts);
  addPacks(app, parts);
  addToolRegistries(app, parts);
  addResources(app, parts);
  app.notFound((context) =>
    problemResponse(new ApiProblem("NotFound", `there is nothing at ${context.req.path}`)),
  );
  app.onError((error, context) => problemResponse(problemOf(error, parts.log, context.req.path)));
  return app;
}

function problemOf(error: Error, log: Log, path: string): ApiProblem {
  if (error instanceof ApiProblem) return error;
  if (error instanceof CallersUnavailableError) {
    return new ApiProblem("Unavailable", "who you are could not be found out just now");
  }
  log.error({ error, path }, "A request to the HTTP API failed");
  return new ApiProblem(
    "InternalError",
    "this could not be answered; the log of the gateway says why",
  );
}
