import { type AgentDefaults, agentDefaultsSchema } from "../../operator/cluster/agent-defaults.ts";
import { readJSONFlag } from "./read-json-flag.ts";

/** The value of `--agent-defaults`. Throws a CliError that names the field that is wrong. */
export function readAgentDefaults(text: string): AgentDefaults {
  return readJSONFlag(text, {
    flag: "--agent-defaults",
    schema: agentDefaultsSchema,
    cure: 'Give an object such as {"resources":{"requests":{"cpu":"100m"}}}; every field may be left out.',
  });
}
