import { describe, expect, it } from "vitest";
import { runtimeHeaders } from "../../agent/runtime/runtime-v1/runtime-headers.ts";
import { toolHeaders } from "../../tool-servers/server/tool-headers.ts";
import { activeSpan, traceHeaders, withSpan } from "./active-span.ts";
import type { Span } from "./tracer.ts";

const PLACE = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  isSampled: true,
};
const TRACE_PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

function aSpan(): Span & { hasEnded: boolean } {
  const span = {
    place: PLACE,
    hasEnded: false,
    capturesContent: false,
    begin: () => span,
    set: () => {},
    capture: () => {},
    end: () => {},
  };
  return span;
}

async function headersOfTool(): Promise<Headers> {
  const tool = { headers: { traceparent: "of the registry" } };
  const made = await toolHeaders(tool, {}, () => Promise.reject(new Error("no secret")));
  if ("error" in made) throw new Error(made.error);
  return made.headers;
}

describe("the active span", () => {
  it("goes with the work, and is over when the span has ended", async () => {
    const span = aSpan();
    await withSpan(span, async () => {
      await Promise.resolve();
      expect(activeSpan()).toBe(span);
      span.hasEnded = true;
      expect(activeSpan()).toBeUndefined();
      expect(traceHeaders()).toEqual({});
    });
    expect(activeSpan()).toBeUndefined();
  });

  it("is passed on to the servers of tools of every type, whatever the registry says", async () => {
    const inSpan = await withSpan(aSpan(), headersOfTool);
    expect(inSpan.get("traceparent")).toBe(TRACE_PARENT);
    expect((await headersOfTool()).get("traceparent")).toBe("of the registry");
  });

  it("is passed on to runtimes", () => {
    const turn = {
      id: "t",
      sessionId: "s",
      config: { agent: { name: "helper", namespace: "team" } },
    } as Parameters<typeof runtimeHeaders>[0];
    expect(withSpan(aSpan(), () => runtimeHeaders(turn))).toMatchObject({
      traceparent: TRACE_PARENT,
    });
    expect(runtimeHeaders(turn)).not.toHaveProperty("traceparent");
  });
});
