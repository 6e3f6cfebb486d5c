/** Finds the Service of the gateway in a cluster, by the labels that the chart gives it. */
import { ApiError } from "../../kube/client/api-error.ts";
import { KubeClient } from "../../kube/client/client.ts";
import type { KubernetesObject } from "../../kube/client/object.ts";
import { RateLimiter } from "../../kube/client/rate-limiter.ts";
import type { Transport } from "../../kube/client/transport.ts";
import { systemClock } from "../../time/clock.ts";
import { Deadline } from "../../time/deadline.ts";
import { CliError } from "../terminal/cli-error.ts";

const TIMEOUT_MS = 15_000;
const SERVICES = {
  group: "",
  version: "v1",
  kind: "Service",
  plural: "services",
  namespaced: true,
} as const;
const GATEWAY_LABELS = "app.kubernetes.io/name=omnia,app.kubernetes.io/component=gateway";
const PORT_NAME = "http";
const REQUESTS = 10;

export interface GatewayService {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  /** The port of its pods: a number, or a name that they give it. */
  readonly targetPort: number | string;
  /** The labels of its pods. */
  readonly selector: Readonly<Record<string, string>>;
}

interface ServiceObject extends KubernetesObject {
  spec?: {
    ports?: readonly { name?: string; port: number; targetPort?: number | string }[];
    selector?: Record<string, string>;
  };
}

/** A client of the API server for what a command asks by the way. */
export function createCliClient(transport: Transport): KubeClient {
  return new KubeClient({
    transport,
    rateLimiter: new RateLimiter({ clock: systemClock, perSecond: REQUESTS, burst: REQUESTS }),
    fieldManager: "omnia-cli",
  });
}

/** Rejects with a CliError where there is none, or none that may be seen. */
export async function findGatewayService(
  transport: Transport,
  server: string,
): Promise<GatewayService> {
  const client = createCliClient(transport);
  using deadline = new Deadline({ ms: TIMEOUT_MS, clock: systemClock });
  const { signal } = deadline;
  try {
    const { items } = await client.list<ServiceObject>(SERVICES, {
      labelSelector: GATEWAY_LABELS,
      signal,
    });
    // Another Service of the gateway is for its metrics.
    for (const { metadata, spec } of items) {
      const { namespace, name } = metadata;
      const found = spec?.ports?.find((each) => each.name === PORT_NAME);
      if (namespace === undefined || found === undefined) continue;
      const { port, targetPort = port } = found;
      return { namespace, name, port, targetPort, selector: spec?.selector ?? {} };
    }
  } catch (error) {
    throw unseen(error, server);
  }
  throw new CliError(`The cluster at ${server} has no gateway.`, {
    cure: "Install the chart with gateway.enabled=true, or name another gateway with --url.",
  });
}

function unseen(error: unknown, server: string): CliError {
  if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
    return new CliError(`The cluster at ${server} refuses: ${error.message}`, {
      cure: "Ask for the right to list Services, or name the gateway with --url.",
      cause: error,
    });
  }
  const why = error instanceof Error ? error.message : String(error);
  return new CliError(`The cluster at ${server} cannot be reached: ${why}.`, { cause: error });
}
