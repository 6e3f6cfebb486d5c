/** What a gateway counts. Agents that clients invent have no series, and there is a limit to the agents that have one. */
import type { Metrics } from "../observability/metrics.ts";
import type { AgentReference } from "./choose-replica.ts";

/** The agents that are told apart, among all that there ever were since the start. Those past it are counted as one. */
export const MAX_COUNTED_AGENTS = 2_000;
const OTHERS = { agent: "", namespace: "" };

/** In seconds: from a replica beside the gateway, to an issuer of tokens that is slow to tell its keys. */
const HANDSHAKE_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export interface GatewayMetrics {
  /** A connection was opened, this many seconds after its handshake came. */
  connected(agent: AgentReference, seconds: number): void;
  refused(reason: string): void;
  passed(direction: "to-client" | "to-agent", bytes: number): void;
  /** From now on the gauge shows the open connections that `count` gives: the agent of each. */
  observe(open: () => Iterable<AgentReference>): void;
}

export const NO_METRICS: GatewayMetrics = {
  connected: () => {},
  refused: () => {},
  passed: () => {},
  observe: () => {},
};

export function createGatewayMetrics(metrics: Metrics): GatewayMetrics {
  const ofAgent = ["agent", "namespace"] as const;
  let open: () => Iterable<AgentReference> = () => [];
  const counted = new Map<string, { agent: string; namespace: string }>();
  const labelsOf = ({ name, namespace }: AgentReference) => {
    const key = `${namespace}/${name}`;
    let labels = counted.get(key);
    if (labels === undefined && counted.size < MAX_COUNTED_AGENTS) {
      counted.set(key, (labels = { agent: name, namespace }));
    }
    return labels ?? OTHERS;
  };
  metrics.observedGauges(
    {
      name: "omnia_gateway_connections_active",
      help: "WebSocket connections that are open now",
      labels: ofAgent,
    },
    function* () {
      const counts = new Map<ReturnType<typeof labelsOf>, number>();
      for (const agent of open()) {
        const labels = labelsOf(agent);
        counts.set(labels, (counts.get(labels) ?? 0) + 1);
      }
      // An agent whose last connection has ended shows 0, and not nothing.
      for (const labels of counted.values()) yield [labels, counts.get(labels) ?? 0] as const;
      const others = counts.get(OTHERS);
      if (others !== undefined) yield [OTHERS, others] as const;
    },
  );
  const connections = metrics.counter({
    name: "omnia_gateway_connections_total",
    help: "WebSocket connections since the start",
    labels: ofAgent,
  });
  const refused = metrics.counter({
    name: "omnia_gateway_refused_total",
    help: "Handshakes that led to no connection, by reason",
    labels: ["reason"],
  });
  const handshake = metrics.histogram({
    name: "omnia_gateway_handshake_duration_seconds",
    help: "Time from a handshake to its answer, of those that led to a connection",
    buckets: HANDSHAKE_BUCKETS,
  });
  const bytes = {
    "to-client": metrics.counter({
      name: "omnia_gateway_sent_bytes_total",
      help: "Bytes that were passed on from agents to clients",
    }),
    "to-agent": metrics.counter({
      name: "omnia_gateway_received_bytes_total",
      help: "Bytes that were passed on from clients to agents",
    }),
  };
  return {
    connected: (agent, seconds) => {
      connections.add(1, labelsOf(agent));
      handshake.observe(seconds);
    },
    refused: (reason) => refused.add(1, { reason }),
    passed: (direction, count) => bytes[direction].add(count),
    observe: (given) => {
      open = given;
    },
  };
}
