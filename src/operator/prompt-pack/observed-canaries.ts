/** What the replicas in the cluster counted of the canaries. It waits for none of them: what they say later leads to another pass. */
import { MANAGEMENT_PORT } from "../../agent-config/agent-config.ts";
import { endedCountsOf } from "../../control/prompt-pack/decide-trial.ts";
import { type ObservedTrial, TrialLedger } from "../../control/prompt-pack/rollout/trial-ledger.ts";
import { keyOf } from "../../kube/client/object.ts";
import {
  CanaryProbes,
  type CanaryProbesOptions,
  type CanaryReplica,
} from "../../probes/canary-probes.ts";
import { AGENT_CONTAINER } from "../../api/pod-template.ts";
import type { OperatorCaches } from "../cluster/caches.ts";
import type { PodObject } from "../cluster/kubernetes-objects.ts";
import type { PackDecision } from "./decisions.ts";

export class ObservedCanaries {
  readonly #caches: Pick<OperatorCaches, "agentRuntimes" | "pods">;
  readonly #probes: CanaryProbes;
  readonly #ledgers = new Map<string, TrialLedger>();

  constructor(
    caches: Pick<OperatorCaches, "agentRuntimes" | "pods">,
    options: CanaryProbesOptions,
  ) {
    this.#caches = caches;
    this.#probes = new CanaryProbes(options);
  }

  /** `undefined` when the pack has no canary of which anything is counted. */
  of(pack: string, { versions, facts }: PackDecision): ObservedTrial | undefined {
    const { trial } = versions.canary ?? {};
    if (trial === undefined) {
      this.forget(pack);
      return undefined;
    }
    const ended = endedCountsOf(facts.promptPack.status);
    const known = this.#ledgers.get(pack);
    const ledger = known?.trial === trial ? known : new TrialLedger(trial, ended);
    this.#ledgers.set(pack, ledger);
    return ledger.take(this.#probes.of(pack, this.#replicasOf(pack)));
  }

  forget(pack: string): void {
    this.#probes.forget(pack);
    this.#ledgers.delete(pack);
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#probes.run(signal);
  }

  #replicasOf(pack: string): CanaryReplica[] {
    return this.#caches.agentRuntimes
      .indexed("promptPack", pack)
      .flatMap(({ metadata }) => this.#caches.pods.indexed("agent", keyOf(metadata)))
      .flatMap(toReplica);
  }
}

/** A pod that is being deleted goes on with its turns for a while, and takes no new session. */
function toReplica({ metadata, status }: PodObject): CanaryReplica[] {
  const container = status?.containerStatuses?.find(({ name }) => name === AGENT_CONTAINER);
  if (status?.podIP === undefined || container?.state?.running === undefined) return [];
  return [
    {
      replica: metadata.uid ?? metadata.name,
      host: status.podIP,
      port: MANAGEMENT_PORT,
      isReady: container.ready && metadata.deletionTimestamp === undefined,
    },
  ];
}
