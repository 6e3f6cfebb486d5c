/** The objects that an agent is made of, as the caches hold them. */
import { AGENT_RUNTIME, API_VERSION } from "../../api/group.ts";
import {
  isOwnedBy,
  type KubernetesObject,
  keyOf,
  type ResourceType,
} from "../../kube/client/object.ts";
import {
  CONFIG_MAPS,
  type ConfigMapObject,
  type DeploymentObject,
  DEPLOYMENTS,
  HORIZONTAL_POD_AUTOSCALERS,
  type HorizontalPodAutoscalerObject,
  NETWORK_POLICIES,
  type NetworkPolicyObject,
  POD_DISRUPTION_BUDGETS,
  type PodDisruptionBudgetObject,
  SCALED_OBJECTS,
  type ScaledObject,
  type ServiceObject,
  SERVICES,
} from "../cluster/kubernetes-objects.ts";
import type { OperatorCaches } from "../cluster/caches.ts";
import { configMapName } from "../cluster/labels.ts";

export interface AgentChildren {
  readonly configMap: ConfigMapObject | undefined;
  readonly deployment: DeploymentObject | undefined;
  readonly service: ServiceObject | undefined;
  readonly podDisruptionBudget: PodDisruptionBudgetObject | undefined;
  readonly networkPolicy: NetworkPolicyObject | undefined;
  readonly horizontalPodAutoscaler: HorizontalPodAutoscalerObject | undefined;
  readonly scaledObject: ScaledObject | undefined;
}

export type AgentChild = keyof AgentChildren;

export const CHILD_TYPES: Readonly<Record<AgentChild, ResourceType>> = {
  configMap: CONFIG_MAPS,
  deployment: DEPLOYMENTS,
  service: SERVICES,
  podDisruptionBudget: POD_DISRUPTION_BUDGETS,
  networkPolicy: NETWORK_POLICIES,
  horizontalPodAutoscaler: HORIZONTAL_POD_AUTOSCALERS,
  scaledObject: SCALED_OBJECTS,
};

/** The objects that have the names and labels of the agent's objects, whoever owns them. `key` is that of the AgentRuntime. */
export function childrenOf(caches: OperatorCaches, key: string): AgentChildren {
  return {
    configMap: caches.agentConfigs.get(configMapName(key)),
    deployment: caches.deployments.get(key),
    service: caches.services.get(key),
    podDisruptionBudget: caches.podDisruptionBudgets.get(key),
    networkPolicy: caches.networkPolicies.get(key),
    horizontalPodAutoscaler: caches.horizontalPodAutoscalers.get(key),
    scaledObject: caches.scaledObjects.get(key),
  };
}

/** Only the children that belong to the AgentRuntime with this uid. */
export function ownedBy(uid: string, children: AgentChildren): AgentChildren {
  const own = <T extends KubernetesObject>(object: T | undefined): T | undefined =>
    object !== undefined && isOwnedBy(object, uid) ? object : undefined;
  return {
    configMap: own(children.configMap),
    deployment: own(children.deployment),
    service: own(children.service),
    podDisruptionBudget: own(children.podDisruptionBudget),
    networkPolicy: own(children.networkPolicy),
    horizontalPodAutoscaler: own(children.horizontalPodAutoscaler),
    scaledObject: own(children.scaledObject),
  };
}

/** The key of the AgentRuntime that owns the object. It may have been deleted, and another may have its name. */
export function agentKeyOf(object: KubernetesObject): string | undefined {
  const owner = object.metadata.ownerReferences?.find(
    ({ kind, apiVersion }) => kind === AGENT_RUNTIME && apiVersion === API_VERSION,
  );
  return owner && keyOf({ ...object.metadata, name: owner.name });
}
