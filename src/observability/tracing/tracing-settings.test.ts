import { describe, expect, it } from "vitest";
import { type Environment, readTracingSettings } from "./tracing-settings.ts";

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318/" };

describe("the settings of traces", () => {
  it("are none without an endpoint, and where traces are turned off", () => {
    const none: Environment[] = [
      {},
      { OTEL_EXPORTER_OTLP_ENDPOINT: " " },
      { OTEL_SERVICE_NAME: "helper" },
      { ...ENDPOINT, OTEL_SDK_DISABLED: "TRUE" },
      { ...ENDPOINT, OTEL_TRACES_EXPORTER: "none" },
    ];
    for (const env of none) expect(readTracingSettings(env)).toBeUndefined();
  });

  it("are the defaults of OpenTelemetry where nothing else is said", () => {
    expect(readTracingSettings(ENDPOINT)).toEqual({
      url: "http://collector:4318/v1/traces",
      protocol: "http/protobuf",
      headers: {},
      sampler: { ratio: 1, isParentBased: true },
      capturesContent: false,
    });
  });

  it("take the variables of traces before those of all signals", () => {
    expect(
      readTracingSettings({
        ...ENDPOINT,
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://traces/in",
        OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
        OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http/json",
        OTEL_EXPORTER_OTLP_HEADERS: "Authorization=Bearer%20one, x-a = 1,broken",
        OTEL_EXPORTER_OTLP_TRACES_HEADERS: "x-a=100%",
        OTEL_TRACES_SAMPLER: "traceidratio",
        OTEL_TRACES_SAMPLER_ARG: "0.25",
        OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: "True",
      }),
    ).toEqual({
      url: "https://traces/in",
      protocol: "http/json",
      headers: { authorization: "Bearer one", "x-a": "100%" },
      sampler: { ratio: 0.25, isParentBased: false },
      capturesContent: true,
    });
  });

  it.for<Environment>([
    { OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4317" },
    { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "file:///etc/passwd" },
    { ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
    { ...ENDPOINT, OTEL_TRACES_EXPORTER: "zipkin" },
    { ...ENDPOINT, OTEL_TRACES_SAMPLER: "sometimes" },
    { ...ENDPOINT, OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "2" },
  ])("tell a mistake in %j by the name of the variable, and not by its value", (env) => {
    const settings = readTracingSettings(env);
    expect(settings).toMatchObject({ problem: expect.stringContaining("OTEL_") });
    expect(JSON.stringify(settings)).not.toMatch(/4317|passwd|zipkin|sometimes/);
  });
});
