/** Loads what exports traces, if that is wanted. Otherwise nothing is loaded, and traces cost nothing. */
import type { Tracer } from "./tracer.ts";
import { readTracingSettings, type TracerOptions } from "./tracing-settings.ts";

/** Undefined when traces are not exported. Never rejects: a mistake in the variables is logged. */
export async function loadTracer(options: TracerOptions): Promise<Tracer | undefined> {
  const { env, log, secretValues } = options;
  const settings = readTracingSettings(env);
  if (settings === undefined) return undefined;
  if ("problem" in settings) {
    log.warn({ problem: settings.problem }, "Traces are not exported");
    return undefined;
  }
  for (const value of Object.values(settings.headers)) secretValues?.add(value);
  try {
    const { createOpenTelemetry } = await import("./open-telemetry.ts");
    return createOpenTelemetry(settings, options);
  } catch (error) {
    log.warn({ error }, "Traces are not exported");
    return undefined;
  }
}
