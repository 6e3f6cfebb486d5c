import { describe, expect, it } from "vitest";
import { readNetworkPolicy } from "./read-network-policy.ts";

const monitoring = { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } };

describe("the value of --network-policy", () => {
  it("may be empty", () => {
    expect(readNetworkPolicy("{}")).toEqual({ managementFrom: [], ingress: [], egress: [] });
  });

  it("has peers and rules in the words of Kubernetes", () => {
    const policy = {
      managementFrom: [{ namespaceSelector: monitoring, podSelector: {} }],
      ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] } }] }],
      egress: [
        { to: [{ namespaceSelector: {} }], ports: [{ port: 443 }, { port: 1, endPort: 9 }] },
      ],
    };
    expect(readNetworkPolicy(JSON.stringify(policy))).toEqual({
      ...policy,
      egress: [
        {
          to: [{ namespaceSelector: {} }],
          ports: [
            { protocol: "TCP", port: 443 },
            { protocol: "TCP", port: 1, endPort: 9 },
          ],
        },
      ],
    });
  });

  it.each([
    ["{", "it is not JSON"],
    ["[]", "must be a mapping, not a list"],
    ['{"egres":[]}', "egres: unknown field"],
    ['{"managementFrom":[{}]}', "managementFrom[0]: must have"],
    ['{"managementFrom":[{"namespaceSelector":"a"}]}', "managementFrom[0].namespaceSelector"],
    ['{"ingress":[{"ports":[{"port":0}]}]}', "ingress[0].ports[0].port"],
    [`{"a":"${"x".repeat(70_000)}"}`, "larger than"],
  ])("%s is refused with the reason", (text, reason) => {
    expect(() => readNetworkPolicy(text)).toThrow(reason);
  });
});
