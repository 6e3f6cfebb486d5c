/**
 * The span that the caller works for. It goes with the work by itself: what sends a request to a tool, a provider or a runtime is many
 * calls away from what began the span, and knows nothing of traces. Nothing is kept, and nothing costs, where no span was begun.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { placeHeaders } from "./trace-parent.ts";
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

/** The same for a message of MCP over a pipe, which has no headers. Undefined where nothing is traced. */
export function traceMeta(): Record<string, string> | undefined {
  const place = activeSpan()?.place;
  return place && placeHeaders(place);
}

const NO_HEADERS: Readonly<Record<string, string>> = {};

/** The headers that pass the trace on to whoever gets a request. */
export function traceHeaders(): Readonly<Record<string, string>> {
  const place = activeSpan()?.place;
  return place === undefined ? NO_HEADERS : placeHeaders(place);
}
