import type { ConfigSigner } from "../../agent-config/config-signature.ts";
import { decideReplicas } from "../../control/agent-runtime/decide-replicas.ts";
import type { Clock } from "../../time/clock.ts";
import { nextFiles, signedConfig } from "./files/agent-files.ts";
import { type DigestReaders, gatherDigests } from "./files/gather-digests.ts";
import { type AutoscalerFacts, buildAutoscalers } from "./objects/build-autoscalers.ts";
import type { Phase } from "./pass.ts";
import { servesSince } from "./pods/serves-since.ts";
import { scalingMarkOf } from "../cluster/scaling-mark.ts";

interface Scaling {
  readonly clock: Pick<Clock, "now">;
  /** What is known of autoscalers in this cluster. */
  readonly autoscalerFacts: () => Omit<AutoscalerFacts, "autoscaling">;
}

/** Reads which versions of Secrets and ConfigMaps the replicas take in, and so completes what is wanted of the objects. */
export function prepareFiles(
  readers: DigestReaders,
  signer: ConfigSigner,
  { clock, autoscalerFacts }: Scaling,
): Phase {
  return async (pass, signal) => {
    const { agentRuntime, memory, gathered, decision, pods, own } = pass;
    if (gathered === undefined || decision?.config === undefined) return;
    const { workload } = decision;
    if (workload === undefined) return;
    const { metadata, spec } = agentRuntime;
    const { name, namespace } = metadata;
    const { valueDigest, fileDigest } = await gatherDigests(namespace, workload, readers, signal);
    const { secretFiles } = workload;
    const last = gathered.lastFiles;
    const facts = { uid: memory.uid, secretFiles };
    const config = signedConfig(decision.config, facts, last, signer);
    const { madeOf } = decision;
    const files = nextFiles({ config, madeOf, secretFiles, fileDigest, last, pods });
    memory.files.learn(files);
    const { autoscaling } = workload;
    const deployment = own.deployment && {
      replicas: own.deployment.spec.replicas ?? 1,
      mark: scalingMarkOf(own.deployment),
      servesSince: servesSince(own.deployment.status),
    };
    pass.wanted = {
      agentRuntime,
      uid: memory.uid,
      files,
      workload,
      valueDigest,
      scaling: decideReplicas(spec, deployment, clock.now()),
      autoscalers: buildAutoscalers({ name, namespace }, { autoscaling, ...autoscalerFacts() }),
    };
  };
}
