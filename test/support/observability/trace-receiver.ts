/** A collector of traces for tests: takes OTLP over HTTP as JSON, and keeps the spans. */
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { startHttpServer } from "../processes/http-server.ts";

export interface ReceivedSpan {
  readonly name: string;
  /** 2: server, 3: client, 1: internal. */
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly status: { readonly code?: number; readonly message?: string };
  readonly durationMs: number;
}

interface Value {
  readonly stringValue?: string;
  readonly intValue?: number | string;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
  readonly arrayValue?: { readonly values: readonly Value[] };
}
type Attributes = readonly { readonly key: string; readonly value: Value }[];

interface Body {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Attributes };
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<ReceivedSpan, "attributes" | "durationMs"> & {
        readonly attributes: Attributes;
        readonly startTimeUnixNano: string;
        readonly endTimeUnixNano: string;
      })[];
    }[];
  }[];
}

/** Ends with the test. */
export async function startTraceReceiver() {
  const spans: ReceivedSpan[] = [];
  const bodies: string[] = [];
  const resources: Record<string, unknown>[] = [];
  const headers: (string | undefined)[] = [];
  const server = await startHttpServer(async (request, response) => {
    const body = await text(request);
    headers.push(request.headers["x-collector-key"] as string | undefined);
    bodies.push(body);
    const { resourceSpans } = JSON.parse(body) as Body;
    for (const { resource, scopeSpans } of resourceSpans) {
      resources.push(read(resource.attributes));
      for (const span of scopeSpans.flatMap((scope) => scope.spans)) {
        const nanoseconds = BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano);
        spans.push({
          ...span,
          attributes: read(span.attributes),
          durationMs: Number(nanoseconds) / 1e6,
        });
      }
    }
    response.setHeader("content-type", "application/json").end("{}");
  });
  onTestFinished(() => server.close());
  return { url: server.url, spans, bodies, resources, headers };
}

function read(attributes: Attributes): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plain(value)]));
}

function plain({ stringValue, intValue, doubleValue, boolValue, arrayValue }: Value): unknown {
  if (arrayValue !== undefined) return arrayValue.values.map(plain);
  if (intValue !== undefined) return Number(intValue);
  return stringValue ?? doubleValue ?? boolValue;
}
