/** The HTTP API of a gateway without the gateway: requests go straight to its handler. */
import type { HttpBindings } from "@hono/node-server";
import { createApi } from "../../../src/gateway/api/create-api.ts";
import { LOCAL_CALLERS, type Action, type Callers } from "../../../src/gateway/caller.ts";
import type { Route } from "../../../src/gateway/choose-replica.ts";
import type { SignRequest } from "../../../src/gateway/sign-request.ts";
import { createLog } from "../../../src/observability/log.ts";
import { systemClock, type Clock } from "../../../src/time/clock.ts";
import { aResourceSource, type ResourcesInMemory } from "./a-resource-source.ts";

export const CALLER = { authorization: "Bearer jane" };

/** Callers of a cluster, of whom each that says who it is may do what the function says. */
export function callersWho(may: (action: Action) => boolean): Callers {
  return {
    mode: "cluster",
    identify: async ({ headers }) =>
      headers.authorization === undefined
        ? { code: "Unauthorized", message: "say who you are" }
        : { subject: "jane", expiresAt: Date.parse("2036-03-01T13:00:00Z") },
    may: async (_, action) => may(action),
  };
}

export function anApi({
  source = aResourceSource(),
  callers = LOCAL_CALLERS,
  route = { status: "unknown" },
  signRequest,
  clock = systemClock,
}: {
  source?: ResourcesInMemory;
  callers?: Callers;
  route?: Route;
  signRequest?: SignRequest;
  clock?: Clock;
} = {}) {
  const closing = new AbortController();
  const handler = createApi({
    source,
    callers,
    version: "1.2.3",
    streamId: "stream",
    signRequest,
    clock,
    log: createLog({ level: "silent" }),
  })({
    route: () => route,
    connections: () => 2,
    tracer: () => undefined,
    closing: closing.signal,
  });
  const request = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const isTrace = init.method === "TRACE";
    const asked = new Request(`http://gateway.example/api/v1alpha1${path}`, {
      ...init,
      ...(isTrace ? { method: "GET" } : {}),
      headers: { host: "gateway.example", ...(init.headers as Record<string, string>) },
    });
    // Nobody can make such a request, but one may come: the server makes it in this way.
    if (isTrace) Object.defineProperty(asked, "method", { value: "TRACE" });
    return await handler(asked, {} as HttpBindings);
  };
  const json = async (path: string, headers: Record<string, string> = {}) => {
    const response = await request(path, { headers });
    return { status: response.status, body: await response.json() };
  };
  /** As a page of the gateway does it. */
  const write = async (method: string, path: string, body?: unknown, headers = {}) => {
    const response = await request(path, {
      method,
      headers: {
        "x-omnia-request": "1",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: text === "" ? undefined : (JSON.parse(text) as unknown),
    };
  };
  return { request, json, write, closing, source };
}
