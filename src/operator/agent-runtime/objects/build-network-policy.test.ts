import { describe, expect, it } from "vitest";
import type { AgentNetworkPolicy } from "../../cluster/agent-network-policy.ts";
import { buildNetworkPolicy } from "./build-network-policy.ts";

const at = { name: "support", namespace: "team" };
const monitoring = { namespaceSelector: { matchLabels: { team: "monitoring" } } };
const specOf = (given: Partial<AgentNetworkPolicy> = {}) =>
  buildNetworkPolicy(at, { managementFrom: [], ingress: [], egress: [], ...given }).spec;
const facade = { ports: [{ protocol: "TCP", port: "facade" }] };

describe("the NetworkPolicy of an agent", () => {
  it("selects the pods of the agent and carries the labels of its objects", () => {
    const { metadata, spec } = buildNetworkPolicy(at, {
      managementFrom: [],
      ingress: [],
      egress: [],
    });
    expect(metadata).toMatchObject({
      ...at,
      labels: { "app.kubernetes.io/managed-by": "omnia-operator" },
    });
    expect(spec.podSelector.matchLabels).toEqual({
      "app.kubernetes.io/name": "omnia-agent",
      "app.kubernetes.io/instance": "support",
    });
  });

  it("leaves the facade open and closes everything else, unless somebody is named", () => {
    expect(specOf()).toMatchObject({ policyTypes: ["Ingress"], ingress: [facade] });
    expect(specOf().ingress).toHaveLength(1);
  });

  it("opens the facade to those alone that are named, and to nobody when the list is empty", () => {
    const clients = { namespaceSelector: {}, podSelector: { matchLabels: { chats: "true" } } };
    expect(specOf({ facadeFrom: [clients, monitoring] }).ingress).toEqual([
      { from: [clients, monitoring], ...facade },
    ]);
    expect(specOf({ facadeFrom: [] }).ingress).toEqual([]);
    const ingress = [{ ports: [{ protocol: "TCP" as const, port: 15_008 }] }];
    expect(specOf({ facadeFrom: [], managementFrom: [monitoring], ingress }).ingress).toEqual([
      { from: [monitoring], ports: [{ protocol: "TCP", port: 8081 }] },
      ...ingress,
    ]);
  });

  it("opens the management port to those that are named", () => {
    expect(specOf({ managementFrom: [monitoring] }).ingress).toEqual([
      facade,
      { from: [monitoring], ports: [{ protocol: "TCP", port: 8081 }] },
    ]);
  });

  it("says nothing of what the agent connects to, unless rules are given", () => {
    expect(specOf()).not.toHaveProperty("egress");
    const egress = [{ to: [monitoring] }];
    expect(specOf({ egress })).toMatchObject({ policyTypes: ["Ingress", "Egress"], egress });
  });

  it("has the further rules", () => {
    const ingress = [{ ports: [{ protocol: "TCP" as const, port: 15_008 }] }];
    expect(specOf({ ingress }).ingress).toEqual([facade, ...ingress]);
  });
});
