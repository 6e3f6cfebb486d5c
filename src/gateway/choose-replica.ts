/** Decides to which replica a connection goes. Local mode makes the endpoints from its child processes, a cluster from the Services of agents. */
import { hash } from "node:crypto";

export interface AgentReference {
  readonly name: string;
  readonly namespace: string;
}

/** One replica that could take a connection now. */
export interface Endpoint {
  /** Stays the same while the replica lives. */
  readonly id: string;
  readonly host: string;
  readonly port: number;
  /** It is about to go. It is tried when no other one takes the connection. */
  readonly isLeaving?: boolean | undefined;
}

export type Route =
  | {
      readonly status: "ready";
      /** There is at least one. */
      readonly endpoints: readonly Endpoint[];
      /**
       * With `client`, a client keeps to one replica while that replica exists. It is meant for agents whose sessions live in the
       * memory of a replica, since another replica would not know a client that comes back.
       */
      readonly affinity: "none" | "client";
      readonly allowedOrigins: readonly string[];
    }
  /** The agent is known and has no replica that is ready. */
  | {
      readonly status: "unavailable";
      readonly reason: string;
      /** Whether everybody may hear the reason, because everybody may connect. */
      readonly isForAnybody?: boolean | undefined;
      /** Whether the agent has no replica only because nobody uses it, so that it can be started for a client. */
      readonly startsOnDemand?: boolean | undefined;
      readonly allowedOrigins: readonly string[];
    }
  | { readonly status: "unknown" };

/**
 * Starts an agent that has no replica because nobody uses it, and settles with its route once a replica is ready, or it is known that
 * none will be soon. Rejects with the reason of `signal` when that aborts.
 */
export type WakeAgent = (agent: AgentReference, signal: AbortSignal) => Promise<Route>;

/**
 * Returns the endpoints in the order in which they are to be tried, with those that are leaving at its end. Without affinity, those with the fewest open connections
 * come first, and among equals the one that was chosen longest ago.
 */
export function orderEndpoints(
  endpoints: readonly Endpoint[],
  affinity: "none" | "client",
  client: string,
  load: (endpointId: string) => { connections: number; lastChosen: number },
): Endpoint[] {
  if (affinity === "client") {
    // With rendezvous hashing, a replica that comes or goes moves only the clients that have to move.
    return sortedBy(endpoints, (endpoint) => [
      Number(endpoint.isLeaving === true),
      hash("sha1", `${client} ${endpoint.id}`),
    ]);
  }
  return sortedBy(endpoints, (endpoint) => {
    const { connections, lastChosen } = load(endpoint.id);
    return [Number(endpoint.isLeaving === true), connections, lastChosen];
  });
}

/** Finds the replica that has a session. Resolves to `undefined` when none says that it does. Rejects only with the reason of `signal`. */
export type LocateSession = (
  agent: AgentReference,
  endpoints: readonly Endpoint[],
  sessionId: string,
  signal: AbortSignal,
) => Promise<Endpoint | undefined>;

function sortedBy(
  endpoints: readonly Endpoint[],
  weigh: (endpoint: Endpoint) => readonly (number | string)[],
): Endpoint[] {
  return endpoints
    .map((endpoint) => ({ endpoint, weight: weigh(endpoint) }))
    .toSorted((a, b) => {
      for (const [index, left] of a.weight.entries()) {
        const right = b.weight[index] as typeof left;
        if (left !== right) return left < right ? -1 : 1;
      }
      return 0;
    })
    .map(({ endpoint }) => endpoint);
}
