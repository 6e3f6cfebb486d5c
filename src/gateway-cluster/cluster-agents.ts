/**
 * The agents of a cluster, as a gateway leads to them: followed by watches, and answered from memory. While the API server is away, what
 * was known last goes on to count.
 */
import type { AgentReference, Route } from "../gateway/choose-replica.ts";
import type { GatewaySource } from "../gateway/gateway-source.ts";
import type { KubeClient } from "../kube/client/client.ts";
import type { ResourceType } from "../kube/client/object.ts";
import { Cache } from "../kube/watch/cache.ts";
import { reflectNamespaces } from "../kube/watch/reflect-namespaces.ts";
import type { Reflector } from "../kube/watch/reflector.ts";
import {
  AGENT_RUNTIMES,
  ENDPOINT_SLICES,
  type StoredAgentRuntime,
} from "../operator/cluster/kubernetes-objects.ts";
import { AGENT_LABEL_SELECTOR, SERVICE_NAME_LABEL } from "../operator/cluster/labels.ts";
import type { Clock } from "../time/clock.ts";
import { keyOfAgent, routeOf, type AgentSlice } from "./route-of.ts";

const NOT_KNOWN_YET: Route = {
  status: "unavailable",
  reason: "the gateway does not know the agents yet",
  isForAnybody: true,
  allowedOrigins: [],
};

export interface ClusterAgentsOptions {
  readonly client: KubeClient;
  /** Empty: all namespaces. */
  readonly namespaces: readonly string[];
  /** Whether the gateway asks its clients who they are. */
  readonly isAuthenticated: boolean;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onError: (type: ResourceType, error: unknown) => void;
}

export class ClusterAgents implements GatewaySource {
  /** What is known of the AgentRuntimes. Others may read it. */
  readonly agentRuntimes = new Cache<StoredAgentRuntime>();
  readonly #slices = new Cache<AgentSlice>({
    agent: ({ metadata }) => {
      const service = metadata.labels?.[SERVICE_NAME_LABEL];
      return service === undefined
        ? []
        : [keyOfAgent({ name: service, namespace: metadata.namespace ?? "" })];
    },
  });
  readonly #reflectors: readonly Pick<Reflector<StoredAgentRuntime>, "run" | "isSynced">[];
  readonly #isAuthenticated: boolean;
  /** Routes are asked for far more often than they change. */
  readonly #routes = new Map<string, Route>();
  /** Who waits for an agent to change. */
  readonly #listeners = new Map<string, Set<() => void>>();

  constructor(options: ClusterAgentsOptions) {
    this.#isAuthenticated = options.isAuthenticated;
    const reflect = reflectNamespaces(options);
    this.#reflectors = [
      ...reflect(AGENT_RUNTIMES, this.agentRuntimes),
      // A slice has the labels of its Service, so these are the slices of the Services that the operator made.
      ...reflect(ENDPOINT_SLICES, this.#slices, { labelSelector: AGENT_LABEL_SELECTOR }),
    ];
    this.agentRuntimes.subscribe(({ before, after }) => {
      const { name, namespace = "" } = (after ?? before)?.metadata ?? { name: "" };
      this.#changed(keyOfAgent({ name, namespace }));
    });
    this.#slices.subscribe(({ before, after }) => {
      for (const slice of [before, after]) {
        if (slice === undefined) continue;
        for (const key of this.#slices.valuesOf("agent", slice)) this.#changed(key);
      }
    });
  }

  /** Whether all agents and all their replicas were listed once. */
  get isSynced(): boolean {
    return this.#reflectors.every(({ isSynced }) => isSynced);
  }

  /** Follows the cluster until the signal is aborted, and then resolves. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#reflectors.map((reflector) => reflector.run(signal)));
  }

  resolve(agent: AgentReference): Route {
    const key = keyOfAgent(agent);
    const known = this.#routes.get(key);
    if (known !== undefined) return known;
    const agentRuntime = this.agentRuntimes.get(key);
    if (agentRuntime === undefined && !this.isSynced) return NOT_KNOWN_YET;
    const slices = this.#slices.indexed("agent", key);
    const route = routeOf(agentRuntime, slices, { isAuthenticated: this.#isAuthenticated });
    // What clients ask for in vain is not kept, since there is no end of it.
    if (route.status !== "unknown") this.#routes.set(key, route);
    return route;
  }

  /** `undefined`: there is no such agent. */
  get(agent: AgentReference): StoredAgentRuntime | undefined {
    return this.agentRuntimes.get(keyOfAgent(agent));
  }

  /** `listener` is called after each change of an agent or of its replicas. The function that is returned ends that. */
  subscribe(agent: AgentReference, listener: () => void): () => void {
    const key = keyOfAgent(agent);
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(key) === listeners) {
        this.#listeners.delete(key);
      }
    };
  }

  #changed(key: string): void {
    this.#routes.delete(key);
    for (const listener of this.#listeners.get(key) ?? []) listener();
  }

  agents(): readonly AgentReference[] {
    return [...this.agentRuntimes.all()].map(({ metadata: { name, namespace = "" } }) => ({
      name,
      namespace,
    }));
  }

  resources(): [] {
    return [];
  }
}
