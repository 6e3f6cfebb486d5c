import {
  type AgentNetworkPolicy,
  agentNetworkPolicySchema,
} from "../../operator/cluster/agent-network-policy.ts";
import { readJSONFlag } from "./read-json-flag.ts";

/** The value of `--network-policy`. Throws a CliError that names the field that is wrong. */
export function readNetworkPolicy(text: string): AgentNetworkPolicy {
  return readJSONFlag(text, {
    flag: "--network-policy",
    schema: agentNetworkPolicySchema,
    cure: 'Give an object such as {"managementFrom":[{"namespaceSelector":{}}],"egress":[]}; every field may be left out.',
  });
}
