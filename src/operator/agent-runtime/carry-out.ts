/** Brings what belongs to an AgentRuntime in the cluster to what was decided. */
import type { AgentRuntime } from "../../api/agent-runtime.ts";
import { AGENT_RUNTIME, API_VERSION } from "../../api/group.ts";
import type { WorkloadDecision } from "../../control/agent-runtime/workload-decision.ts";
import { isConflict, isNotFound } from "../../kube/client/api-error.ts";
import { applyOwned } from "../../kube/apply-owned.ts";
import {
  keyOf,
  type KubernetesObject,
  type OwnerReference,
  type ResourceType,
} from "../../kube/client/object.ts";
import { contentHash } from "../../promptpack/document/content-hash.ts";
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  POD_DISRUPTION_BUDGETS,
  SERVICES,
} from "../cluster/kubernetes-objects.ts";
import { APPLIED_ANNOTATION, ENVIRONMENT_ANNOTATION } from "../cluster/labels.ts";
import type { OperatorContext } from "../cluster/operator-context.ts";
import { type AgentChildren, ownedBy } from "./children.ts";
import { type AgentFiles, buildConfigMap } from "./objects/build-config-map.ts";
import { buildDeployment, HANDED_OVER } from "./objects/build-deployment.ts";
import { buildPodDisruptionBudget } from "./objects/build-pod-disruption-budget.ts";
import { buildService } from "./objects/build-service.ts";
import { environmentDigest, type ValueDigest } from "./files/environment-digest.ts";
import type { WriteRefusal, WriteRefusals } from "./write-refusals.ts";

export interface AgentWanted {
  readonly agentRuntime: AgentRuntime;
  readonly uid: string;
  readonly files: AgentFiles;
  readonly workload: WorkloadDecision;
  readonly valueDigest: ValueDigest;
}

type Child = keyof AgentChildren;

const TYPES: Readonly<Record<Child, ResourceType>> = {
  configMap: CONFIG_MAPS,
  deployment: DEPLOYMENTS,
  service: SERVICES,
  podDisruptionBudget: POD_DISRUPTION_BUDGETS,
};

export interface CarriedOut {
  /** They are there and were not: the cluster will tell of them. */
  readonly created: readonly Child[];
  /** `written`: just now, and the cluster will tell of it. `refused`: the cluster has others. */
  readonly files: "there" | "written" | "refused";
  /** What could not be made, and why, for people. */
  readonly problem: string | undefined;
  /** Something could not be made, and may be then. */
  readonly retryInMs: number | undefined;
}

/** Rejects when it is not known what became of a write. */
export async function carryOut(
  { client, caches, settings }: Pick<OperatorContext, "client" | "caches" | "settings">,
  children: AgentChildren,
  refusals: WriteRefusals,
  wanted: AgentWanted,
  signal: AbortSignal,
): Promise<CarriedOut> {
  const { agentRuntime, uid, files, workload } = wanted;
  const { name, namespace } = agentRuntime.metadata;
  const own = ownedBy(uid, children);
  const owner: OwnerReference = {
    apiVersion: API_VERSION,
    kind: AGENT_RUNTIME,
    name,
    uid,
    controller: true,
  };
  const refused: WriteRefusal[] = [];
  const created: Child[] = [];

  /** The object of this name, where the cache would not know it. */
  const find = async (child: Child, name: string): Promise<KubernetesObject | undefined> => {
    try {
      return await client.get(TYPES[child], { namespace, name }, signal);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };
  const apply = async (
    child: Child,
    object: KubernetesObject,
    writer = client,
  ): Promise<"there" | "written" | "refused"> => {
    const type = TYPES[child];
    const standing = refusals.unexpired(type, object);
    if (standing !== undefined) {
      refused.push(standing);
      return "refused";
    }
    const live =
      children[child] ??
      (refusals.wasTaken(type) ? await find(child, object.metadata.name) : undefined);
    try {
      const hasWritten = await applyOwned({
        client: writer,
        type,
        live,
        wanted: object,
        owner,
        appliedAnnotation: APPLIED_ANNOTATION,
        digest: contentHash,
        handedOver: child === "deployment" ? HANDED_OVER : undefined,
        signal,
      });
      refusals.clear(type);
      if (hasWritten && live === undefined) created.push(child);
      return hasWritten ? "written" : "there";
    } catch (error) {
      refused.push(refusals.add(type, object, error));
      return "refused";
    }
  };

  const at = { name, namespace };
  const configMap = buildConfigMap(at, files);
  // Pods take some seconds to come to their files. Where many agents are made at once, what makes pods goes ahead.
  const isNameFree = caches.configMaps.get(keyOf(configMap.metadata)) === undefined;
  const writingFiles = apply("configMap", configMap, isNameFree ? client.givingWay() : client);
  // What it rejects with is met below, unless another failure comes first.
  writingFiles.catch(() => {});
  await Promise.all([
    isNameFree ? undefined : writingFiles,
    apply("service", buildService(at, files.config)),
  ]);
  // No replica is started that nobody could reach, or whose config somebody else's is in the way of.
  if (own.deployment !== undefined || refused.length === 0) {
    const previous = own.deployment?.spec.template.metadata?.annotations;
    const digest = environmentDigest(
      workload.environment,
      previous?.[ENVIRONMENT_ANNOTATION],
      wanted.valueDigest,
    );
    const deployment = { agentRuntime: at, workload, environmentDigest: digest, settings };
    await apply("deployment", buildDeployment(deployment));
  }
  const budget = buildPodDisruptionBudget(at, workload);
  if (budget !== undefined) {
    await apply("podDisruptionBudget", budget);
  } else if (own.podDisruptionBudget !== undefined) {
    const { uid: ofBudget } = own.podDisruptionBudget.metadata;
    try {
      await client.delete(POD_DISRUPTION_BUDGETS, { ...at, uid: ofBudget }, signal);
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }
  const writtenFiles = await writingFiles;
  const problems = refused.flatMap(({ problem }) => problem ?? []);
  return {
    created,
    files: writtenFiles,
    problem: problems.length === 0 ? undefined : problems.join(". "),
    retryInMs:
      refused.length === 0 ? undefined : Math.min(...refused.map(({ retryInMs }) => retryInMs)),
  };
}
