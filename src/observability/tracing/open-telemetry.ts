/** Traces by the SDK of OpenTelemetry. Nothing imports this file but `load-tracer.ts`, and only when traces are exported. */
import {
  createTraceState,
  ROOT_CONTEXT,
  SpanKind as Kind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type Span as OpenSpan,
  type Tracer as OpenTracer,
} from "@opentelemetry/api";
import { OTLPTraceExporter as JSONExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from "@opentelemetry/resources";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type Sampler,
  type SpanExporter,
} from "@opentelemetry/sdk-trace";
import { within } from "../../time/within.ts";
import type { Log } from "../log.ts";
import { withoutSecrets } from "../secrets/without-secrets.ts";
import type { Sampling, TracerOptions, TracingSettings } from "./tracing-settings.ts";
import type { TraceParent } from "./trace-parent.ts";
import type { Span, SpanAttributes, SpanKind, SpanStart, Tracer } from "./tracer.ts";

/** A process that ends waits so long for its last spans to be exported. */
export const CLOSE_LIMIT_MS = 5_000;
/** Of what was said, so much stands in one attribute. */
export const MAX_CAPTURED_CHARACTERS = 32 * 1024;
const MAX_ATTRIBUTE_CHARACTERS = 64 * 1024;

const KINDS: Readonly<Record<SpanKind, Kind>> = {
  server: Kind.SERVER,
  client: Kind.CLIENT,
  internal: Kind.INTERNAL,
};

interface Shared {
  readonly tracer: OpenTracer;
  readonly capturesContent: boolean;
  readonly clean: (text: string) => string;
}

export function createOpenTelemetry(
  { url, protocol, headers, sampler, capturesContent }: TracingSettings,
  { log, clock, secretValues, resource, version }: TracerOptions,
): Tracer {
  const exporter =
    protocol === "http/json"
      ? new JSONExporter({ url, headers: { ...headers } })
      : new ProtobufExporter({ url, headers: { ...headers } });
  const provider = new TracerProvider({
    sampler: samplerOf(sampler),
    spanLimits: { attributeValueLengthLimit: MAX_ATTRIBUTE_CHARACTERS },
    resource: defaultResource()
      .merge(resourceFromAttributes(resource))
      .merge(
        detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] }),
      ),
    spanProcessors: [new BatchSpanProcessor({ exporter: tellingOfFailures(exporter, log) })],
  });
  const shared: Shared = {
    tracer: provider.getTracer("omnia", version),
    capturesContent,
    clean: (text) => withoutSecrets(secretValues?.hide(text) ?? text),
  };
  return {
    begin: (name, { parent, ...start }) =>
      new TracedSpan(shared, parent === undefined ? ROOT_CONTEXT : contextOf(parent), name, start),
    close: () =>
      within(
        CLOSE_LIMIT_MS,
        provider.shutdown().catch(() => {}),
        clock,
      ).then(() => {}),
  };
}

class TracedSpan implements Span {
  readonly place: TraceParent;
  readonly #shared: Shared;
  readonly #span: OpenSpan;
  #hasEnded = false;

  constructor(shared: Shared, parent: Context, name: string, start: SpanStart) {
    this.#shared = shared;
    this.#span = shared.tracer.startSpan(
      name,
      {
        kind: KINDS[start.kind],
        attributes: known(start.attributes),
        ...(start.startedAt === undefined ? {} : { startTime: start.startedAt }),
      },
      parent,
    );
    const { traceId, spanId, traceFlags, traceState } = this.#span.spanContext();
    this.place = {
      traceId,
      spanId,
      isSampled: (traceFlags & TraceFlags.SAMPLED) !== 0,
      traceState: traceState?.serialize() || undefined,
    };
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get capturesContent(): boolean {
    return this.#shared.capturesContent && this.#span.isRecording();
  }

  begin(name: string, start: SpanStart): Span {
    return new TracedSpan(this.#shared, trace.setSpan(ROOT_CONTEXT, this.#span), name, start);
  }

  set(attributes: SpanAttributes): void {
    this.#span.setAttributes(known(attributes));
  }

  capture(name: string, content: () => unknown): void {
    if (!this.capturesContent) return;
    const value = content();
    if (value === undefined) return;
    // It is cleaned before it is cut: half of a secret is no longer known as one.
    const text = this.#shared.clean(JSON.stringify(value));
    this.#span.setAttribute(name, text.slice(0, MAX_CAPTURED_CHARACTERS));
  }

  end(failure?: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    if (failure !== undefined) {
      this.#span.setAttribute("error.type", failure);
      this.#span.setStatus({ code: SpanStatusCode.ERROR });
    }
    this.#span.end();
  }
}

function contextOf({ traceId, spanId, isSampled, traceState }: TraceParent): Context {
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
    ...(traceState === undefined ? {} : { traceState: createTraceState(traceState) }),
  });
}

function known(attributes: SpanAttributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}

function samplerOf({ ratio, isParentBased }: Sampling): Sampler {
  const root =
    ratio === 1
      ? new AlwaysOnSampler()
      : ratio === 0
        ? new AlwaysOffSampler()
        : new TraceIdRatioBasedSampler(ratio);
  return isParentBased ? new ParentBasedSampler({ root }) : root;
}

/** Says once that spans are lost, and once that they are not any more. Turns go on whatever becomes of their spans. */
function tellingOfFailures(exporter: SpanExporter, log: Log): SpanExporter {
  let fails = false;
  return {
    export: (spans, onResult) =>
      exporter.export(spans, (result) => {
        const failed = result.error !== undefined;
        if (failed && !fails) {
          log.warn({ error: result.error }, "Traces could not be exported and are lost");
        } else if (!failed && fails) log.info({}, "Traces are exported again");
        fails = failed;
        onResult(result);
      }),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
    shutdown: () => exporter.shutdown(),
  };
}
