/** The place in a trace that a request belongs to, as W3C Trace Context writes it in the headers `traceparent` and `tracestate`. */

export interface TraceParent {
  /** 32 hexadecimal digits, not all of them 0. */
  readonly traceId: string;
  /** 16 hexadecimal digits, not all of them 0. */
  readonly spanId: string;
  readonly isSampled: boolean;
  /** What other systems of tracing have noted. It is passed on as it is. */
  readonly traceState?: string | undefined;
}

const MAX_TRACE_PARENT_CHARACTERS = 128;
const MAX_TRACE_STATE_CHARACTERS = 512;
/** Later versions may have more behind the flags. */
const TRACE_PARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const TRACE_STATE = /^[\x20-\x7e]+$/;

/** Undefined when the text is no `traceparent`: whoever sent it gets a trace of its own. A `tracestate` that is none is left out. */
export function readTraceParent(text: unknown, traceState?: unknown): TraceParent | undefined {
  if (typeof text !== "string" || text.length > MAX_TRACE_PARENT_CHARACTERS) return undefined;
  const [, version, traceId = "", spanId = "", flags = "", more] = TRACE_PARENT.exec(text) ?? [];
  if (version === undefined || version === "ff" || (version === "00" && more !== undefined)) {
    return undefined;
  }
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  const isState =
    typeof traceState === "string" &&
    traceState.length <= MAX_TRACE_STATE_CHARACTERS &&
    TRACE_STATE.test(traceState);
  return {
    traceId,
    spanId,
    isSampled: (Number.parseInt(flags, 16) & 1) === 1,
    traceState: isState ? traceState : undefined,
  };
}

/** The headers that name the place to whoever gets a request. */
export function placeHeaders(place: TraceParent): Record<string, string> {
  const headers: Record<string, string> = { traceparent: traceParentText(place) };
  if (place.traceState !== undefined) headers["tracestate"] = place.traceState;
  return headers;
}

export function traceParentText({ traceId, spanId, isSampled }: TraceParent): string {
  return `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;
}
