import { gatherReferences } from "../../control/agent-runtime/gather-references.ts";
import type { TrustPolicy } from "../../control/trust-policy.ts";
import type { Phase } from "./pass.ts";
import { clusterReaders, type ReferenceSources } from "./reference-readers.ts";

/** Reads what the AgentRuntime refers to, and which files its pods were given last. */
export function gather(sources: ReferenceSources, policy: TrustPolicy): Phase {
  return async (pass, signal) => {
    const lastFiles = pass.memory.files.read(pass.own.configMap);
    const references = await gatherReferences(
      pass.agentRuntime,
      clusterReaders(sources, signal),
      policy,
    );
    pass.gathered = { references, lastFiles };
  };
}
