import { describe, expect, it } from "vitest";
import type { Span, SpanStart, Tracer } from "../observability/tracing/tracer.ts";
import {
  beginRequestSpan,
  endRequestSpan,
  joiningHeaders,
  routeOfPattern,
  routeOfUpgrade,
} from "./request-span.ts";

const CLIENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

function recording() {
  const begun: (SpanStart & { name: string; parent?: unknown })[] = [];
  const told: unknown[] = [];
  const place = { traceId: "1".repeat(32), spanId: "2".repeat(16), isSampled: false };
  const span = {
    place: { ...place, traceState: "vendor=1" },
    set: (attributes: unknown) => told.push(attributes),
    end: (failure?: string) => told.push(failure ?? "well"),
  } as unknown as Span;
  const tracer: Tracer = {
    begin: (name, start) => {
      begun.push({ name, ...start });
      return span;
    },
    close: () => Promise.resolve(),
  };
  return { tracer, span, begun, told };
}

describe("the span of a request at the gateway", () => {
  it("is named by the route, and belongs to the trace of the client", () => {
    const { tracer, begun } = recording();
    const request = { method: "GET", traceparent: CLIENT, tracestate: undefined };
    beginRequestSpan(tracer, { ...request, route: "/ws" });
    beginRequestSpan(tracer, { ...request, traceparent: "nonsense", route: undefined });
    expect(begun).toMatchObject([
      { name: "GET /ws", kind: "server", parent: { spanId: "b7ad6b7169203331" } },
      { name: "GET", parent: undefined },
    ]);
  });

  it("is a failure where the gateway or what stands behind it is at fault", () => {
    const { span, told } = recording();
    endRequestSpan(span, 404, "AgentNotFound");
    endRequestSpan(span, 502, "ReplicaFailed");
    endRequestSpan(span, 500);
    expect(told.filter((one) => typeof one === "string")).toEqual(["well", "ReplicaFailed", "500"]);
  });

  it("joins what comes behind it only where the client named a trace", () => {
    const { span } = recording();
    expect(joiningHeaders(span, { traceparent: CLIENT })).toEqual({
      traceparent: `00-${"1".repeat(32)}-${"2".repeat(16)}-00`,
      tracestate: "vendor=1",
    });
    expect(joiningHeaders(span, { traceparent: "nonsense" })).toBeUndefined();
    expect(joiningHeaders(span, { traceparent: undefined })).toBeUndefined();
    expect(joiningHeaders(undefined, { traceparent: CLIENT })).toBeUndefined();
  });

  it.each([
    ["/?agent=a", "/"],
    ["/ws?agent=a&token=private", "/ws"],
    ["http://host/ws", "/ws"],
    ["/agents/team/helper/ws", "/agents/{namespace}/{name}/ws"],
    ["/agents/team/helper/other", undefined],
    ["/anything/else", undefined],
  ])("of %s has a route without names", (target, route) => {
    expect(routeOfUpgrade(target)).toBe(route);
  });

  it("has the routes of the HTTP API as its description writes them", () => {
    expect(routeOfPattern("/api/v1alpha1/agents/:namespace/:name{.+}/sessions")).toBe(
      "/api/v1alpha1/agents/{namespace}/{name}/sessions",
    );
  });
});
