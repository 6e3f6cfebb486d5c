/** What the parts of the program know of traces. It is implemented by `open-telemetry.ts`, which is loaded only where traces are exported. */
import type { TraceParent } from "./trace-parent.ts";

/** Names are those of OpenTelemetry's semantic conventions where there is one. What is undefined is left out. */
export type SpanAttributes = Readonly<
  Record<string, string | number | boolean | string[] | undefined>
>;

export type SpanKind = "server" | "client" | "internal";

export interface SpanStart {
  readonly kind: SpanKind;
  readonly attributes: SpanAttributes;
  /** Milliseconds since 1970; now when it is not given. */
  readonly startedAt?: number | undefined;
}

/** Something that takes time, and of which a trace tells. */
export interface Span {
  readonly place: TraceParent;
  readonly hasEnded: boolean;
  /** Whether what was said may stand in attributes. It is off unless somebody turned it on. */
  readonly capturesContent: boolean;
  begin(name: string, start: SpanStart): Span;
  set(attributes: SpanAttributes): void;
  /** Sets an attribute to what was said, without secrets and cut to a limit, if that may be captured. */
  capture(name: string, content: () => unknown): void;
  /** `failure` is a code or another word of this program, never a message. */
  end(failure?: string): void;
}

export interface Tracer {
  /** Begins the first span that this process has of a trace. */
  begin(name: string, start: SpanStart & { readonly parent: TraceParent | undefined }): Span;
  /** Exports what is left, as far as that can be done. Never rejects. */
  close(): Promise<void>;
}
