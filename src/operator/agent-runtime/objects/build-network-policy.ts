import { MANAGEMENT_PORT } from "../../../agent-config/agent-config.ts";
import { agentSelector } from "../../../control/agent-runtime/agent-selector.ts";
import type { AgentNetworkPolicy, NetworkPolicyPeers } from "../../cluster/agent-network-policy.ts";
import type { NetworkPolicyObject } from "../../cluster/kubernetes-objects.ts";
import { agentLabels, FACADE_PORT_NAME } from "../../cluster/labels.ts";

/**
 * The facade is open to everybody, as the Service is, unless the settings name those who may reach it. The management port is open to
 * those that the settings name. Traffic from the node of a pod is never subject to a policy, so the kubelet needs no rule.
 */
export function buildNetworkPolicy(
  agentRuntime: { readonly name: string; readonly namespace: string },
  { facadeFrom, managementFrom, ingress, egress }: AgentNetworkPolicy,
): NetworkPolicyObject {
  return {
    metadata: { ...agentRuntime, labels: agentLabels(agentRuntime.name) },
    spec: {
      podSelector: { matchLabels: agentSelector(agentRuntime.name) },
      ...(egress.length > 0
        ? { policyTypes: ["Ingress", "Egress"], egress }
        : { policyTypes: ["Ingress"] }),
      ingress: [
        // By its name, because the number changes from the old pods to the new ones while they are replaced.
        ...(facadeFrom === undefined
          ? [{ ports: [{ protocol: "TCP", port: FACADE_PORT_NAME }] }]
          : openTo(facadeFrom, FACADE_PORT_NAME)),
        ...openTo(managementFrom, MANAGEMENT_PORT),
        ...ingress,
      ],
    },
  };
}

/** No rule for nobody: one whose list of peers is empty would be open to everybody. */
function openTo(
  from: NetworkPolicyPeers,
  port: number | string,
): NetworkPolicyObject["spec"]["ingress"] {
  return from.length > 0 ? [{ from, ports: [{ protocol: "TCP", port }] }] : [];
}
