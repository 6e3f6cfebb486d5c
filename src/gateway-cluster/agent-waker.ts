/**
 * Starts agents that have no replica because nobody uses them, and holds their first clients until there is one. Only the number of
 * replicas is set, through the scale subresource, and the operator does the rest.
 */
import type { AgentReference, Route } from "../gateway/choose-replica.ts";
import { isGoneOrReplaced } from "../kube/client/api-error.ts";
import type { KubeClient } from "../kube/client/client.ts";
import { AGENT_RUNTIMES } from "../operator/cluster/kubernetes-objects.ts";
import type { Clock } from "../time/clock.ts";
import { Deadline } from "../time/deadline.ts";
import { Wake } from "../time/wake.ts";
import type { ClusterAgents } from "./cluster-agents.ts";
import { keyOfAgent } from "./route-of.ts";

/** How long a client is held: as long as a pod takes to start whose image has to be pulled first. */
export const HOLD_MS = 60_000;
/** More clients than these are not held at one time, over all agents. */
export const MAX_HELD = 1_000;
/** The time between two tries to start the same agent. */
const TRY_AGAIN_MS = 2_000;

export interface AgentWakerOptions {
  readonly agents: Pick<ClusterAgents, "resolve" | "get" | "subscribe">;
  readonly client: Pick<KubeClient, "mergePatch">;
  readonly clock: Clock;
  readonly onError: (agent: AgentReference, error: unknown) => void;
}

type Unavailable = Extract<Route, { status: "unavailable" }>;

export class AgentWaker {
  readonly #options: AgentWakerOptions;
  /** The agents that are being started, and when that was last tried. Each has at least one client that waits. */
  readonly #tried = new Map<string, number>();
  readonly #held = new Map<string, number>();
  #heldInAll = 0;

  constructor(options: AgentWakerOptions) {
    this.#options = options;
  }

  /** As `WakeAgent` says. */
  async wake(agent: AgentReference, signal: AbortSignal): Promise<Route> {
    const { agents, clock } = this.#options;
    signal.throwIfAborted();
    const route = agents.resolve(agent);
    if (!isStartable(route)) return route;
    if (this.#heldInAll >= MAX_HELD) {
      return { ...route, reason: "too many clients wait for agents to start; try again" };
    }
    using _ = this.#hold(keyOfAgent(agent));
    const changed = new Wake();
    const unsubscribe = agents.subscribe(agent, () => changed.raise());
    using deadline = new Deadline({ ms: HOLD_MS, clock, signal });
    try {
      for (;;) {
        const now = agents.resolve(agent);
        if (!isStartable(now)) return now;
        if (deadline.isOver) return { ...now, reason: `the agent is being started: ${now.reason}` };
        await this.#start(agent, deadline.signal);
        using pause = new Deadline({ ms: TRY_AGAIN_MS, clock, signal: deadline.signal });
        await changed.wait(pause.signal);
        signal.throwIfAborted();
      }
    } finally {
      unsubscribe();
    }
  }

  /** Sets the number of replicas to one if it is none. Never rejects: whether it helps shows in the route. */
  async #start(agent: AgentReference, signal: AbortSignal): Promise<void> {
    const { agents, client, clock, onError } = this.#options;
    const stored = agents.get(agent);
    if (stored === undefined || stored.spec.replicas !== 0) return;
    // An autoscaler that has not heard of the clients yet has set none, which the operator does not follow so soon.
    if ((stored.status?.replicas ?? 0) > 0) return;
    const key = keyOfAgent(agent);
    const nowMs = clock.monotonic();
    if (nowMs - (this.#tried.get(key) ?? -Infinity) < TRY_AGAIN_MS) return;
    this.#tried.set(key, nowMs);
    // Whoever sets another number at the same moment has the last word.
    const { resourceVersion } = stored.metadata;
    const scale = { metadata: { resourceVersion }, spec: { replicas: 1 } };
    try {
      await client.mergePatch(AGENT_RUNTIMES, { ...agent, subresource: "scale" }, scale, signal);
    } catch (error) {
      if (!signal.aborted && !isGoneOrReplaced(error)) onError(agent, error);
    }
  }

  #hold(key: string): Disposable {
    this.#heldInAll += 1;
    this.#held.set(key, (this.#held.get(key) ?? 0) + 1);
    return {
      [Symbol.dispose]: () => {
        this.#heldInAll -= 1;
        const left = (this.#held.get(key) ?? 1) - 1;
        if (left > 0) {
          this.#held.set(key, left);
          return;
        }
        this.#held.delete(key);
        this.#tried.delete(key);
      },
    };
  }
}

function isStartable(route: Route): route is Unavailable & { readonly startsOnDemand: true } {
  return route.status === "unavailable" && route.startsOnDemand === true;
}
