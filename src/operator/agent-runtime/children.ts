/** The objects that an agent is made of, as the caches hold them. */
import { AGENT_RUNTIME, API_VERSION } from "../../api/group.ts";
import { type KubernetesObject, keyOf } from "../../kube/client/object.ts";
import type {
  ConfigMapObject,
  DeploymentObject,
  PodDisruptionBudgetObject,
  ServiceObject,
} from "../cluster/kubernetes-objects.ts";
import type { OperatorCaches } from "../cluster/caches.ts";
import { configMapName } from "../cluster/labels.ts";

export interface AgentChildren {
  readonly configMap: ConfigMapObject | undefined;
  readonly deployment: DeploymentObject | undefined;
  readonly service: ServiceObject | undefined;
  readonly podDisruptionBudget: PodDisruptionBudgetObject | undefined;
}

/** What has the names and the labels, whosever it is. `key`: of the AgentRuntime. */
export function childrenOf(caches: OperatorCaches, key: string): AgentChildren {
  return {
    configMap: caches.agentConfigs.get(configMapName(key)),
    deployment: caches.deployments.get(key),
    service: caches.services.get(key),
    podDisruptionBudget: caches.podDisruptionBudgets.get(key),
  };
}

/** Those of them that belong to the AgentRuntime of this uid. */
export function ownedBy(uid: string, children: AgentChildren): AgentChildren {
  const own = <T extends KubernetesObject>(object: T | undefined): T | undefined =>
    object?.metadata.ownerReferences?.some((owner) => owner.uid === uid) === true
      ? object
      : undefined;
  return {
    configMap: own(children.configMap),
    deployment: own(children.deployment),
    service: own(children.service),
    podDisruptionBudget: own(children.podDisruptionBudget),
  };
}

/** The key of the AgentRuntime that the object belongs to, or that one which was deleted had. */
export function agentKeyOf(object: KubernetesObject): string | undefined {
  const owner = object.metadata.ownerReferences?.find(
    ({ kind, apiVersion }) => kind === AGENT_RUNTIME && apiVersion === API_VERSION,
  );
  return owner && keyOf({ ...object.metadata, name: owner.name });
}
