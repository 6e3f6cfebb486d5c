/** Which changes lead to another pass over an AgentRuntime. */
import type { AgentRuntimeStatus } from "../../api/agent-runtime.ts";
import type { Controller } from "../../kube/controller/controller.ts";
import { keyOf, type KubernetesObject } from "../../kube/client/object.ts";
import { agentsWithSecret } from "../cluster/agents-with-secret.ts";
import type { StoredAgentRuntime } from "../cluster/kubernetes-objects.ts";
import type { OperatorCaches } from "../cluster/caches.ts";
import type { DecidedPromptPacks, DecidedToolRegistries } from "../cluster/operator-context.ts";
import type { WrittenStatuses } from "../cluster/written-statuses.ts";
import { agentKeyOf } from "./children.ts";
import { agentOfConfigMap } from "../cluster/labels.ts";
import { isNewsOfScaler } from "./is-news-of-scaler.ts";

export function watchForAgents(
  controller: Controller,
  caches: OperatorCaches,
  decided: { promptPacks: DecidedPromptPacks; toolRegistries: DecidedToolRegistries },
  statuses: Pick<WrittenStatuses<AgentRuntimeStatus>, "isOwnWrite">,
): void {
  const { agentRuntimes } = caches;
  const keysOf = (agents: readonly StoredAgentRuntime[]): string[] =>
    agents.map(({ metadata }) => keyOf(metadata));
  /** The agent that owns the object. An object without an owner concerns the agent whose name it has taken. */
  const concerned = (object: KubernetesObject, agent = keyOf(object.metadata)): string[] => {
    const owner = agentKeyOf(object);
    return [owner ?? agent].filter((key) => agentRuntimes.get(key) !== undefined);
  };
  const concernedByConfig = (configMap: KubernetesObject): string[] => {
    const agent = agentOfConfigMap(keyOf(configMap.metadata));
    return agent === undefined ? [] : concerned(configMap, agent);
  };

  controller
    // A third of all passes would otherwise find that nothing is to do after a status was written.
    .owns(agentRuntimes, (change) => !statuses.isOwnWrite(change))
    .watches(caches.agentConfigs, concernedByConfig)
    .watches(caches.deployments, (deployment) => concerned(deployment))
    .watches(caches.services, (service) => concerned(service))
    .watches(caches.podDisruptionBudgets, (budget) => concerned(budget))
    .watches(caches.networkPolicies, (policy) => concerned(policy))
    .watches(caches.horizontalPodAutoscalers, (scaler) => concerned(scaler), isNewsOfScaler)
    .watches(caches.scaledObjects, (scaler) => concerned(scaler), isNewsOfScaler)
    // KEDA was installed, or removed.
    .watches(caches.servedKinds, () => keysOf(agentRuntimes.indexed("scaler", "keda")))
    .watches(caches.pods, (pod) => caches.pods.valuesOf("agent", pod))
    .watches(caches.secrets, ({ metadata }) => agentsWithSecret(caches, metadata))
    // Its labels decide which packs and registries of other namespaces allow it.
    .watches(caches.namespaces, ({ metadata }) =>
      keysOf(agentRuntimes.indexed("namespace", metadata.name)),
    )
    .watches(caches.configMaps, (configMap) => [
      ...keysOf(agentRuntimes.indexed("configMap", keyOf(configMap.metadata))),
      // The other cache holds the ConfigMaps of agents.
      ...(agentKeyOf(configMap) === undefined ? concernedByConfig(configMap) : []),
    ]);
  decided.promptPacks.subscribe((key) => {
    for (const agent of keysOf(agentRuntimes.indexed("promptPack", key))) {
      controller.queue.add(agent);
    }
  });
  decided.toolRegistries.subscribe((key) => {
    for (const agent of keysOf(agentRuntimes.indexed("toolRegistry", key))) {
      controller.queue.add(agent);
    }
  });
}
