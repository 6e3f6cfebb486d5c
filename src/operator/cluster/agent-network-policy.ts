import { z } from "zod";
import { labelSelectorSchema } from "../../api/fields/label-selector.ts";

const MAX_ITEMS = 64;
const HIGHEST_PORT = 65_535;

const port = z.int().min(1).max(HIGHEST_PORT);
const portsSchema = z
  .array(
    z.strictObject({
      protocol: z.enum(["TCP", "UDP", "SCTP"]).default("TCP"),
      port: z.union([port, z.string().min(1).max(63)]).optional(),
      endPort: port.optional(),
    }),
  )
  .max(MAX_ITEMS);

const peersSchema = z
  .array(
    z
      .strictObject({
        ipBlock: z
          .strictObject({
            cidr: z.string().min(1).max(64),
            except: z.array(z.string().min(1).max(64)).max(MAX_ITEMS).optional(),
          })
          .optional(),
        namespaceSelector: labelSelectorSchema.optional(),
        podSelector: labelSelectorSchema.optional(),
      })
      .refine((peer) => Object.keys(peer).length > 0, {
        message: "must have ipBlock, namespaceSelector or podSelector",
      }),
  )
  .max(MAX_ITEMS);

/** What the NetworkPolicy of each agent allows, in the words of Kubernetes' NetworkPolicy. */
export const agentNetworkPolicySchema = z.strictObject({
  /** Who may reach the facade. Without it, everybody. */
  facadeFrom: peersSchema.optional(),
  /** Who may reach the management port, besides the kubelet of the pod's node. */
  managementFrom: peersSchema.default([]),
  /** Further rules. */
  ingress: z
    .array(z.strictObject({ from: peersSchema.optional(), ports: portsSchema.optional() }))
    .max(MAX_ITEMS)
    .default([]),
  /** Without a rule, agents may connect to everything. */
  egress: z
    .array(z.strictObject({ to: peersSchema.optional(), ports: portsSchema.optional() }))
    .max(MAX_ITEMS)
    .default([]),
});

export type AgentNetworkPolicy = z.output<typeof agentNetworkPolicySchema>;
export type NetworkPolicyPeers = AgentNetworkPolicy["managementFrom"];
