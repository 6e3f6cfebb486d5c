import { hostname } from "node:os";
import { loadTracer } from "../observability/tracing/load-tracer.ts";
import type { Tracer } from "../observability/tracing/tracer.ts";
import type { TracerOptions } from "../observability/tracing/tracing-settings.ts";

/** What exports the traces of a gateway. Undefined where the variables of OpenTelemetry name no place for them. Never rejects. */
export function loadGatewayTracer(
  options: Omit<TracerOptions, "resource">,
): Promise<Tracer | undefined> {
  return loadTracer({
    ...options,
    resource: {
      "service.name": "omnia-gateway",
      "service.instance.id": hostname(),
      "service.version": options.version,
    },
  });
}
