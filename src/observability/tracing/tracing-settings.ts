/** Reads from the standard variables of OpenTelemetry whether and how traces are exported. */
import type { Clock } from "../../time/clock.ts";
import type { Log } from "../log.ts";
import type { SecretValues } from "../secrets/secret-values.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface TracingSettings {
  /** Where spans are sent to. */
  readonly url: string;
  readonly protocol: "http/protobuf" | "http/json";
  readonly headers: Readonly<Record<string, string>>;
  readonly sampler: Sampling;
  readonly capturesContent: boolean;
}

/** `ratio`: the share of traces that is exported, from 0 to 1. `isParentBased`: what a caller has decided counts. */
export interface Sampling {
  readonly ratio: number;
  readonly isParentBased: boolean;
}

export interface TracerOptions {
  readonly env: Environment;
  readonly log: Log;
  readonly clock: Clock;
  readonly secretValues?: SecretValues | undefined;
  /** What the spans tell of the process, such as `service.name`. The variables of OpenTelemetry win over it. */
  readonly resource: Readonly<Record<string, string>>;
  /** The version of the program. */
  readonly version: string;
}

/** Undefined when no traces are wanted. */
export function readTracingSettings(
  env: Environment,
): TracingSettings | { readonly problem: string } | undefined {
  const ofTraces = valueOf(env, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
  const ofAll = valueOf(env, "OTEL_EXPORTER_OTLP_ENDPOINT");
  if (ofTraces === undefined && ofAll === undefined) return undefined;
  if (valueOf(env, "OTEL_SDK_DISABLED")?.toLowerCase() === "true") return undefined;
  const exporter = valueOf(env, "OTEL_TRACES_EXPORTER") ?? "otlp";
  if (exporter === "none") return undefined;
  if (exporter !== "otlp") return { problem: "OTEL_TRACES_EXPORTER is neither otlp nor none" };
  const url = ofTraces ?? `${ofAll?.replace(/\/+$/, "")}/v1/traces`;
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? "")) {
    const name = ofTraces === undefined ? "ENDPOINT" : "TRACES_ENDPOINT";
    return { problem: `OTEL_EXPORTER_OTLP_${name} is not an http or https URL` };
  }
  const protocol =
    valueOf(env, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") ??
    valueOf(env, "OTEL_EXPORTER_OTLP_PROTOCOL") ??
    "http/protobuf";
  if (protocol !== "http/protobuf" && protocol !== "http/json") {
    return {
      problem:
        "OTEL_EXPORTER_OTLP_PROTOCOL is neither http/protobuf nor http/json; a collector takes these at port 4318",
    };
  }
  const sampler = samplingOf(env);
  if (sampler === undefined) {
    return {
      problem: "OTEL_TRACES_SAMPLER or OTEL_TRACES_SAMPLER_ARG is none of the standard values",
    };
  }
  const capture = valueOf(env, "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT");
  return {
    url,
    protocol,
    headers: {
      ...headersOf(valueOf(env, "OTEL_EXPORTER_OTLP_HEADERS")),
      ...headersOf(valueOf(env, "OTEL_EXPORTER_OTLP_TRACES_HEADERS")),
    },
    sampler,
    capturesContent: capture?.toLowerCase() === "true",
  };
}

function samplingOf(env: Environment): Sampling | undefined {
  const name = valueOf(env, "OTEL_TRACES_SAMPLER") ?? "parentbased_always_on";
  const isParentBased = name.startsWith("parentbased_");
  switch (name.replace(/^parentbased_/, "")) {
    case "always_on":
      return { ratio: 1, isParentBased };
    case "always_off":
      return { ratio: 0, isParentBased };
    case "traceidratio": {
      const ratio = Number(valueOf(env, "OTEL_TRACES_SAMPLER_ARG") ?? "1");
      return ratio >= 0 && ratio <= 1 ? { ratio, isParentBased } : undefined;
    }
    default:
      return undefined;
  }
}

/** `name=value` pairs with commas between them, whose values are percent-encoded. What is no pair is left out. */
function headersOf(text: string | undefined): Record<string, string> {
  const pairs = (text ?? "").split(",").flatMap((pair): [string, string][] => {
    const [, name, value] = /^\s*([\w!#$%&'*+.^`|~-]+)\s*=(.*)$/.exec(pair) ?? [];
    if (name === undefined || value === undefined) return [];
    return [[name.toLowerCase(), decoded(value.trim())]];
  });
  return Object.fromEntries(pairs);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A variable that is empty counts as one that is not set. */
function valueOf(env: Environment, name: string): string | undefined {
  return env[name]?.trim() || undefined;
}
