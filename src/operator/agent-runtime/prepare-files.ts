import type { ConfigSigner } from "../../agent-config/config-signature.ts";
import { nextFiles } from "./files/agent-files.ts";
import { type DigestReaders, gatherDigests } from "./files/gather-digests.ts";
import type { Phase } from "./pass.ts";

/** Reads which versions of Secrets and ConfigMaps the replicas take in, and so completes what is wanted of the objects. */
export function prepareFiles(readers: DigestReaders, signer: ConfigSigner): Phase {
  return async (pass, signal) => {
    const { agentRuntime, memory, gathered, decision, pods } = pass;
    if (gathered === undefined || decision?.config === undefined) return;
    const { workload } = decision;
    if (workload === undefined) return;
    const { namespace } = agentRuntime.metadata;
    const { valueDigest, fileDigest } = await gatherDigests(namespace, workload, readers, signal);
    const { secretFiles } = workload;
    const config = signer.sign(decision.config, { uid: memory.uid, secretFiles });
    const last = gathered.lastFiles;
    const files = nextFiles({ config, secretFiles, fileDigest, last, pods });
    pass.wanted = { agentRuntime, uid: memory.uid, files, workload, valueDigest };
  };
}
