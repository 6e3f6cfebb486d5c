/** Connections to a pod of the gateway, through the API server. */
import type { Duplex } from "node:stream";
import type { KubeClient } from "../../../kube/client/client.ts";
import type { KubernetesObject } from "../../../kube/client/object.ts";
import type { OpenPortForward, PodPort } from "../../../kube/client/port-forward.ts";
import type { GatewayService } from "../../gateway-api/find-gateway-service.ts";
import { CliError } from "../../terminal/cli-error.ts";

const PODS = { group: "", version: "v1", kind: "Pod", plural: "pods", namespaced: true } as const;

export interface GatewayPod extends KubernetesObject {
  spec?: {
    containers?: readonly { ports?: readonly { name?: string; containerPort: number }[] }[];
  };
  status?: { conditions?: readonly { type: string; status: string }[] };
}

/** Connects to the same pod as long as that goes well, so that a page does not see now one replica and now another. */
export class GatewayPods {
  readonly #client: Pick<KubeClient, "list">;
  readonly #service: GatewayService;
  readonly #open: OpenPortForward;
  #known: PodPort | undefined;

  constructor(client: Pick<KubeClient, "list">, service: GatewayService, open: OpenPortForward) {
    this.#client = client;
    this.#service = service;
    this.#open = open;
  }

  async connect(signal: AbortSignal): Promise<Duplex> {
    const known = this.#known;
    if (known !== undefined) {
      try {
        return await this.#connectTo(known, signal);
      } catch (error) {
        if (signal.aborted) throw error;
        // The pod may be gone, and another one be there in its place.
      }
    }
    const found = await this.#find(signal);
    this.#known = found;
    return await this.#connectTo(found, signal);
  }

  async #connectTo(target: PodPort, signal: AbortSignal): Promise<Duplex> {
    const forget = (): void => {
      if (this.#known === target) this.#known = undefined;
    };
    try {
      const stream = await this.#open(target, signal);
      stream.once("error", forget);
      return stream;
    } catch (error) {
      forget();
      throw error;
    }
  }

  async #find(signal: AbortSignal): Promise<PodPort> {
    const { namespace, name, selector } = this.#service;
    const labelSelector = Object.entries(selector)
      .map(([key, value]) => `${key}=${value}`)
      .join(",");
    const { items } = await this.#client.list<GatewayPod>(PODS, {
      namespace,
      labelSelector,
      signal,
    });
    const found = choosePod(items, this.#service.targetPort);
    if (found !== undefined) return { namespace, ...found };
    throw new CliError(`No pod of the gateway ${namespace}/${name} is ready.`, {
      cure: `kubectl get pods -n ${namespace} -l ${labelSelector}`,
    });
  }
}

/** The first pod that is ready and stays, by name. */
export function choosePod(
  pods: readonly GatewayPod[],
  targetPort: number | string,
): { pod: string; port: number } | undefined {
  const ready = pods
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .filter(({ status }) =>
      status?.conditions?.some((each) => each.type === "Ready" && each.status === "True"),
    )
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  for (const { metadata, spec } of ready) {
    const port =
      typeof targetPort === "number"
        ? targetPort
        : spec?.containers
            ?.flatMap(({ ports = [] }) => ports)
            .find(({ name }) => name === targetPort)?.containerPort;
    if (port !== undefined) return { pod: metadata.name, port };
  }
  return undefined;
}
