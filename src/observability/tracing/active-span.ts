/**
 * The span that the caller works for. It goes with the work by itself: what sends a request to a tool, a provider or a runtime is many
 * calls away from what began the span, and knows nothing of traces. Nothing is kept, and nothing costs, where no span was begun.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { traceParentText } from "./trace-parent.ts";
import type { Span } from "./tracer.ts";

const active = new AsyncLocalStorage<Span>();

/** Undefined where nothing is traced, and behind the end of a span: connections may outlive the work that opened them. */
export function activeSpan(): Span | undefined {
  const span = active.getStore();
  return span === undefined || span.hasEnded ? undefined : span;
}

export function withSpan<T>(span: Span | undefined, work: () => T): T {
  return span === undefined ? work() : active.run(span, work);
}

const NO_HEADERS: Readonly<Record<string, string>> = {};

/** The headers that pass the trace on to whoever gets a request. */
export function traceHeaders(): Readonly<Record<string, string>> {
  const place = activeSpan()?.place;
  if (place === undefined) return NO_HEADERS;
  const headers: Record<string, string> = { traceparent: traceParentText(place) };
  if (place.traceState !== undefined) headers["tracestate"] = place.traceState;
  return headers;
}
