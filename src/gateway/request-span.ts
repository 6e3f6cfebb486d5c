/** What a trace tells of requests at a gateway: of connections until they are there, and of the HTTP API. Names are those of OpenTelemetry's conventions for HTTP. */
import { placeHeaders, readTraceParent } from "../observability/tracing/trace-parent.ts";
import type { Span, Tracer } from "../observability/tracing/tracer.ts";
import { readTarget } from "./upgrade-request.ts";

/** Undefined while no traces are exported. */
export type CurrentTracer = () => Tracer | undefined;

/** What of the request names its place in a trace. */
export interface TracedRequest {
  readonly method: string;
  readonly traceparent: unknown;
  readonly tracestate: unknown;
  /** What the path is one of, such as `/agents/{namespace}/{name}/ws`; undefined where it is nothing that is there. */
  readonly route: string | undefined;
}

const SERVER_ERROR = 500;

export function beginRequestSpan(tracer: Tracer, request: TracedRequest): Span {
  const { method, route, traceparent, tracestate } = request;
  return tracer.begin(route === undefined ? method : `${method} ${route}`, {
    kind: "server",
    parent: readTraceParent(traceparent, tracestate),
    attributes: { "http.request.method": method, "http.route": route },
  });
}

/** `failure`: the code of a refusal. Of those that are the client's own fault the span is no failure. */
export function endRequestSpan(span: Span, status: number, failure?: string): void {
  span.set({ "http.response.status_code": status });
  span.end(status < SERVER_ERROR ? undefined : (failure ?? String(status)));
}

/**
 * The headers that join the agent's spans to that of the gateway. None where the client named no trace: each of its turns begins one of
 * its own then, and the connection is no frame for all of them.
 */
export function joiningHeaders(
  span: Span | undefined,
  { traceparent }: Pick<TracedRequest, "traceparent">,
): Readonly<Record<string, string>> | undefined {
  if (span === undefined || readTraceParent(traceparent) === undefined) return undefined;
  return placeHeaders(span.place);
}

/** The route of a handshake. The names of agents are no part of it. */
export function routeOfUpgrade(target: string): string | undefined {
  const { path } = readTarget(target);
  if (path === "/" || path === "/ws") return path;
  return /^\/agents\/[^/]+\/[^/]+\/ws$/.test(path) ? "/agents/{namespace}/{name}/ws" : undefined;
}

/** The route of the HTTP API as its description writes it, from the pattern that matched. */
export function routeOfPattern(pattern: string): string {
  return pattern.replaceAll(/:(\w+)(\{[^}]*\})?/g, "{$1}");
}
