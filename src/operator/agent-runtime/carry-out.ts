/** Brings what belongs to an AgentRuntime in the cluster to what was decided. */
import type { AgentRuntime } from "../../api/agent-runtime.ts";
import { AGENT_RUNTIME, API_VERSION } from "../../api/group.ts";
import type { AgentConfig } from "../../agent-config.ts";
import type { WorkloadDecision } from "../../control/workload-decision.ts";
import { ApiError, isConflict, isNotFound } from "../../kube/api-error.ts";
import { applyOwned, NotOursError } from "../../kube/apply.ts";
import {
  type KubernetesObject,
  keyOf,
  type OwnerReference,
  type ResourceType,
} from "../../kube/object.ts";
import { contentHash } from "../../promptpack/content-hash.ts";
import {
  CONFIG_MAPS,
  type ConfigMapObject,
  type DeploymentObject,
  DEPLOYMENTS,
  POD_DISRUPTION_BUDGETS,
  type PodDisruptionBudgetObject,
  type ServiceObject,
  SERVICES,
} from "../kubernetes-objects.ts";
import { ENVIRONMENT_ANNOTATION } from "../labels.ts";
import type { OperatorContext } from "../operator-context.ts";
import { buildConfigMap, CONFIG_KEY, configMapName, readConfigMap } from "./build-config-map.ts";
import { buildDeployment } from "./build-deployment.ts";
import { buildPodDisruptionBudget } from "./build-pod-disruption-budget.ts";
import { buildService } from "./build-service.ts";
import { digestText } from "./digest-text.ts";
import { environmentDigest, type ValueDigest } from "./environment-digest.ts";

const TOO_MANY_REQUESTS = 429;

/** What is there of an agent and belongs to it. */
export interface AgentChildren {
  readonly configMap: ConfigMapObject | undefined;
  readonly deployment: DeploymentObject | undefined;
  readonly service: ServiceObject | undefined;
  readonly podDisruptionBudget: PodDisruptionBudgetObject | undefined;
}

/** What the replicas are to get, the versions of it included. */
export interface AgentWanted {
  readonly agentRuntime: AgentRuntime;
  readonly uid: string;
  readonly config: AgentConfig;
  readonly workload: WorkloadDecision;
  readonly valueDigest: ValueDigest;
  /** Of a secret file; `undefined` when there is nothing for it. */
  readonly fileDigest: (secretName: string, key: string | undefined) => string | undefined;
}

export interface CarriedOut {
  /** Something is there that was not: the cluster will tell of it. */
  readonly hasCreated: boolean;
  /** The count of changes that the files are at; they are in the cluster when `filesChanged` is false. */
  readonly filesRevision: number;
  readonly filesChanged: boolean;
  /** What could not be made, and why, for people. */
  readonly problem: string | undefined;
  /** Something stands in the way that goes by itself. */
  readonly isBlocked: boolean;
}

/** Of the children in the caches those that are the agent's. */
export function childrenOf(
  { caches }: Pick<OperatorContext, "caches">,
  key: string,
  uid: string,
): AgentChildren {
  const own = <T extends KubernetesObject>(object: T | undefined): T | undefined =>
    object?.metadata.ownerReferences?.some((owner) => owner.uid === uid) === true
      ? object
      : undefined;
  return {
    configMap: own(caches.agentConfigs.get(configMapName(key))),
    deployment: own(caches.deployments.get(key)),
    service: own(caches.services.get(key)),
    podDisruptionBudget: own(caches.podDisruptionBudgets.get(key)),
  };
}

export async function carryOut(
  { client, settings }: Pick<OperatorContext, "client" | "settings">,
  children: AgentChildren,
  wanted: AgentWanted,
  signal: AbortSignal,
): Promise<CarriedOut> {
  const { agentRuntime, uid, config, workload } = wanted;
  const { name, namespace } = agentRuntime.metadata;
  const owner: OwnerReference = {
    apiVersion: API_VERSION,
    kind: AGENT_RUNTIME,
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
  const outcome = { hasCreated: false, isBlocked: false, problems: [] as string[] };
  const apply = async (
    type: ResourceType,
    live: KubernetesObject | undefined,
    object: KubernetesObject,
  ): Promise<boolean> => {
    try {
      const digest = contentHash;
      const hasWritten = await applyOwned({
        client,
        type,
        live,
        wanted: object,
        owner,
        digest,
        signal,
      });
      if (hasWritten && live === undefined) outcome.hasCreated = true;
      return hasWritten;
    } catch (error) {
      const problem = describeRefusal(type, object, error);
      if (problem === undefined) outcome.isBlocked = true;
      else outcome.problems.push(problem);
      return false;
    }
  };

  const at = { name, namespace };
  const files = filesOf(children.configMap, wanted);
  const [filesChanged] = await Promise.all([
    apply(CONFIG_MAPS, children.configMap, files.configMap),
    apply(SERVICES, children.service, buildService(at, config)),
  ]);
  // No replica is started that nobody could reach, or that has no config.
  if (children.deployment !== undefined || isFine(outcome)) {
    const previous = children.deployment?.spec.template.metadata?.annotations;
    const deployment = buildDeployment({
      agentRuntime: at,
      workload,
      environmentDigest: environmentDigest(
        workload.environment,
        previous?.[ENVIRONMENT_ANNOTATION],
        wanted.valueDigest,
      ),
      settings,
    });
    await apply(DEPLOYMENTS, children.deployment, deployment);
  }
  const budget = buildPodDisruptionBudget(at, workload);
  if (budget !== undefined) {
    await apply(POD_DISRUPTION_BUDGETS, children.podDisruptionBudget, budget);
  } else if (children.podDisruptionBudget !== undefined) {
    const { uid: ofBudget } = children.podDisruptionBudget.metadata;
    try {
      await client.delete(POD_DISRUPTION_BUDGETS, { ...at, uid: ofBudget }, signal);
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }
  return {
    hasCreated: outcome.hasCreated,
    isBlocked: outcome.isBlocked,
    problem: outcome.problems.length === 0 ? undefined : outcome.problems.join(". "),
    filesRevision: files.revision,
    filesChanged,
  };
}

function isFine({ isBlocked, problems }: { isBlocked: boolean; problems: string[] }): boolean {
  return !isBlocked && problems.length === 0;
}

function filesOf(
  live: ConfigMapObject | undefined,
  { agentRuntime, config, workload, fileDigest }: AgentWanted,
): { configMap: ConfigMapObject; revision: number } {
  const { secretFiles } = workload;
  const { name, namespace } = agentRuntime.metadata;
  const before = readConfigMap(live);
  const filesDigest = digestText(before.filesDigest, [
    ["config", contentHash(config)],
    ...secretFiles.map(({ path, secretName, key }) => [path, fileDigest(secretName, key)] as const),
  ]);
  const build = (filesRevision: number): ConfigMapObject =>
    buildConfigMap({ name, namespace }, { config, secretFiles, filesRevision, filesDigest });
  const same = build(Math.max(1, before.filesRevision));
  // Its content too: what somebody else wrote into it may have come to the pods.
  const isSame =
    live === undefined ||
    (before.filesDigest === filesDigest && live.data?.[CONFIG_KEY] === same.data?.[CONFIG_KEY]);
  const revision = isSame ? Math.max(1, before.filesRevision) : before.filesRevision + 1;
  return { configMap: isSame ? same : build(revision), revision };
}

/** `undefined`: it will go by itself, and to try again soon is all there is to do. Throws what is no refusal. */
function describeRefusal(
  type: ResourceType,
  object: KubernetesObject,
  error: unknown,
): string | undefined {
  const what = `${type.kind} "${object.metadata.name}"`;
  if (error instanceof NotOursError) {
    return error.isLeftover
      ? undefined
      : `${what} is there and belongs to somebody else; remove it, or give the AgentRuntime another name`;
  }
  if (isConflict(error)) return undefined;
  if (!(error instanceof ApiError) || error.status < 400 || error.status >= 500) throw error;
  if (error.status === TOO_MANY_REQUESTS) throw error;
  return `the API server refuses ${what}: ${error.message}`;
}

/** The key of the AgentRuntime that the object belongs to. */
export function agentKeyOf(object: KubernetesObject): string | undefined {
  const owner = object.metadata.ownerReferences?.find(
    ({ kind, apiVersion }) => kind === AGENT_RUNTIME && apiVersion === API_VERSION,
  );
  return owner && keyOf({ ...object.metadata, name: owner.name });
}
