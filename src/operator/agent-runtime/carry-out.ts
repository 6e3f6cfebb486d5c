/** Brings the objects of an AgentRuntime in the cluster to what was decided. */
import type { AgentRuntime } from "../../api/agent-runtime.ts";
import type { WorkloadDecision } from "../../control/agent-runtime/workload-decision.ts";
import type { ReplicasDecision } from "../../control/agent-runtime/decide-replicas.ts";
import { holds } from "../../kube/holds.ts";
import { keyOf } from "../../kube/client/object.ts";
import type { DeploymentObject } from "../cluster/kubernetes-objects.ts";
import { ENVIRONMENT_ANNOTATION } from "../cluster/labels.ts";
import type { OperatorContext } from "../cluster/operator-context.ts";
import { type ChildWrite, ChildWriter } from "./child-writer.ts";
import { type AgentChild, type AgentChildren, ownedBy } from "./children.ts";
import { environmentDigest, type ValueDigest } from "./files/environment-digest.ts";
import { type AgentFiles, buildConfigMap } from "./objects/build-config-map.ts";
import type { AutoscalersWanted } from "./objects/build-autoscalers.ts";
import { buildDeployment } from "./objects/build-deployment.ts";
import { buildNetworkPolicy } from "./objects/build-network-policy.ts";
import { buildPodDisruptionBudget } from "./objects/build-pod-disruption-budget.ts";
import { buildService } from "./objects/build-service.ts";
import type { WriteRefusal, WriteRefusals } from "./write-refusals.ts";

export interface AgentWanted {
  readonly agentRuntime: AgentRuntime;
  readonly uid: string;
  readonly files: AgentFiles;
  readonly workload: WorkloadDecision;
  readonly valueDigest: ValueDigest;
  readonly scaling: ReplicasDecision;
  readonly autoscalers: AutoscalersWanted;
}

export interface CarriedOut {
  /** The objects that did not exist before. The caches are about to show them. */
  readonly created: readonly AgentChild[];
  /** What became of the write of the ConfigMap. */
  readonly files: ChildWrite;
  /** What became of the write of the Deployment. */
  readonly deployment: ChildWrite;
  /** Whether what the Deployment tells of its replicas is about the spec before. */
  readonly isOutdated: boolean;
  /** Which objects could not be written and why, for people. */
  readonly problem: string | undefined;
  /** Why there is no autoscaler as it is wanted, for people. */
  readonly autoscalerProblem: string | undefined;
  /** When an object that could not be written should be tried again. */
  readonly retryInMs: number | undefined;
}

export type CarryOutContext = Pick<OperatorContext, "client" | "caches" | "settings" | "signer">;

/** Rejects when it is not known what became of a write. */
export async function carryOut(
  { client, caches, settings, signer }: CarryOutContext,
  children: AgentChildren,
  refusals: WriteRefusals,
  wanted: AgentWanted,
  signal: AbortSignal,
): Promise<CarriedOut> {
  const { agentRuntime, uid, files, workload } = wanted;
  const { name, namespace } = agentRuntime.metadata;
  const at = { name, namespace };
  const own = ownedBy(uid, children);
  const writer = new ChildWriter({ client, agentRuntime, uid, children, refusals, signal });

  // Pods need some seconds until they read their files. When many agents are created at once, the objects that lead to pods go first.
  const configMap = buildConfigMap(at, files);
  const isNew = caches.configMaps.get(keyOf(configMap.metadata)) === undefined;
  const writingFiles = writer.apply("configMap", configMap, isNew ? client.givingWay() : client);
  // It is awaited below, unless another write rejects first; then nobody else would handle its rejection.
  writingFiles.catch(() => {});
  const { networkPolicy } = settings;
  await Promise.all([
    isNew ? undefined : writingFiles,
    writer.apply("service", buildService(at, files.config)),
    writer.applyOrDelete("networkPolicy", networkPolicy && buildNetworkPolicy(at, networkPolicy)),
  ]);

  // No replica is started that nobody could connect to, that would be open to everybody, or whose ConfigMap has a name that somebody
  // else uses.
  let written: ChildWrite = "refused";
  let hasSameSpec = false;
  if (own.deployment !== undefined || writer.refused.length === 0) {
    const digest = nextEnvironmentDigest(own.deployment, wanted);
    const { publicKey } = signer;
    const deployment = {
      agentRuntime: at,
      workload,
      scaling: wanted.scaling,
      environmentDigest: digest,
      settings,
      publicKey,
    };
    const built = buildDeployment(deployment);
    hasSameSpec = holds(own.deployment?.spec, built.spec);
    written = await writer.apply("deployment", built);
  }

  await writer.applyOrDelete("podDisruptionBudget", buildPodDisruptionBudget(at, workload));

  // An agent serves although nothing scales it, so that these have an account of their own.
  const scalers = new ChildWriter({ client, agentRuntime, uid, children, refusals, signal });
  await applyAutoscalers(scalers, wanted.autoscalers);

  const { refused } = writer;
  const created = [...writer.created, ...scalers.created];
  const writtenFiles = await writingFiles;
  return {
    created,
    files: writtenFiles,
    deployment: written,
    isOutdated: written !== "unchanged" && !hasSameSpec,
    problem: problemOf(refused),
    autoscalerProblem: problemOf(scalers.refused),
    retryInMs: retryOf([...refused, ...scalers.refused]),
  };
}

/** The one that is wanted no more goes first: two would each set another number. */
async function applyAutoscalers(
  writer: ChildWriter,
  { horizontalPodAutoscaler, scaledObject }: AutoscalersWanted,
): Promise<void> {
  if (horizontalPodAutoscaler === undefined) {
    await writer.applyOrDelete("horizontalPodAutoscaler", undefined);
    await writer.applyOrDelete("scaledObject", scaledObject);
    return;
  }
  await writer.applyOrDelete("scaledObject", undefined);
  await writer.applyOrDelete("horizontalPodAutoscaler", horizontalPodAutoscaler);
}

function nextEnvironmentDigest(
  deployment: DeploymentObject | undefined,
  { workload, valueDigest }: AgentWanted,
): string | undefined {
  const annotations = deployment?.spec.template.metadata?.annotations;
  return environmentDigest(
    workload.environment,
    annotations?.[ENVIRONMENT_ANNOTATION],
    valueDigest,
  );
}

function problemOf(refused: readonly WriteRefusal[]): string | undefined {
  const problems = refused.flatMap(({ problem }) => problem ?? []);
  return problems.length === 0 ? undefined : problems.join(". ");
}

function retryOf(refused: readonly WriteRefusal[]): number | undefined {
  return refused.length === 0 ? undefined : Math.min(...refused.map(({ retryInMs }) => retryInMs));
}
