/**
 * What the operator knows of the cluster: caches, which are filled by watches. Secrets and the ConfigMaps of users are held as
 * metadata only. Their content is read when it is needed.
 */
import { GROUP, TOOL_LABEL } from "../../api/group.ts";
import { INSTANCE_LABEL } from "../../control/agent-runtime/agent-selector.ts";
import { Cache, type IndexFunction } from "../../kube/watch/cache.ts";
import type { KubeClient } from "../../kube/client/client.ts";
import type { Clock } from "../../time/clock.ts";
import { keyOf, type KubernetesObject, type ResourceType } from "../../kube/client/object.ts";
import { reflectNamespaces } from "../../kube/watch/reflect-namespaces.ts";
import type { Reflector } from "../../kube/watch/reflector.ts";
import { withoutUndefined } from "../../control/without-undefined.ts";
import { OptionalReflector } from "../../kube/watch/optional-reflector.ts";
import * as kinds from "./kubernetes-objects.ts";
import { AGENT_LABEL_SELECTOR, SERVICE_NAME_LABEL } from "./labels.ts";
import { withAppliedReplicas } from "./applied-replicas.ts";
import { operatorsOf, withKeptOff } from "./operators-of.ts";
import { withSameSpec } from "./with-same-spec.ts";
import {
  configMapsOf,
  promptPackOf,
  scalerOf,
  secretsOf,
  sourceOf,
  toolConfigMapsOf,
  toolRegistryOf,
  toolSecretNamesOf,
} from "./references-of.ts";

export interface OperatorCaches {
  /** Indexes: promptPack, toolRegistry, secret, configMap, each by the key of the object that the AgentRuntime refers to; namespace; operator; scaler, by `hpa` or `keda`. */
  readonly agentRuntimes: Cache<kinds.StoredAgentRuntime>;
  /** Indexes: source, by the key of the ConfigMap; operator. */
  readonly promptPacks: Cache<kinds.StoredPromptPack>;
  /** Indexes: toolSecret, by the bare name of a Secret; configMap, by its key; namespace; operator. */
  readonly toolRegistries: Cache<kinds.StoredToolRegistry>;
  /** Metadata only. Index: owner, by uid, which finds the kept versions of a PromptPack. */
  readonly configMaps: Cache<KubernetesObject>;
  /** Metadata only. Unless Secrets are watched, it holds those that are followed (see `FollowedSecrets`). */
  readonly secrets: Cache<KubernetesObject>;
  /** Metadata only. Empty when only some namespaces are watched: then the operator may not read them. */
  readonly namespaces: Cache<KubernetesObject>;
  /** Only the Services that may be tools. Index: namespace. */
  readonly toolServices: Cache<kinds.ServiceObject>;
  /** Index: service, by the key of the Service. */
  readonly endpointSlices: Cache<kinds.EndpointSliceObject>;
  /** The whole ConfigMaps that were made for agents. */
  readonly agentConfigs: Cache<kinds.ConfigMapObject>;
  readonly deployments: Cache<kinds.DeploymentObject>;
  readonly services: Cache<kinds.ServiceObject>;
  readonly podDisruptionBudgets: Cache<kinds.PodDisruptionBudgetObject>;
  readonly networkPolicies: Cache<kinds.NetworkPolicyObject>;
  readonly horizontalPodAutoscalers: Cache<kinds.HorizontalPodAutoscalerObject>;
  /** Empty where the API server has no such kind. */
  readonly scaledObjects: Cache<kinds.ScaledObject>;
  /** Those kinds that not every cluster has and this one has, by their plural names. */
  readonly servedKinds: Cache<KubernetesObject>;
  /** Index: agent, by the key of the AgentRuntime. */
  readonly pods: Cache<kinds.PodObject>;
}

export function createCaches(): OperatorCaches {
  const one = <T>(value: (object: T) => string | undefined): IndexFunction<T> => {
    return (object) => {
      const found = value(object);
      return found === undefined ? [] : [found];
    };
  };
  return {
    agentRuntimes: new Cache({
      promptPack: one(promptPackOf),
      toolRegistry: one(toolRegistryOf),
      secret: secretsOf,
      configMap: configMapsOf,
      namespace: one(namespaceOf),
      operator: operatorsOf,
      scaler: one(scalerOf),
    }),
    promptPacks: new Cache<kinds.StoredPromptPack>({
      source: one(sourceOf),
      operator: operatorsOf,
    }),
    toolRegistries: new Cache<kinds.StoredToolRegistry>({
      toolSecret: toolSecretNamesOf,
      configMap: toolConfigMapsOf,
      namespace: one(namespaceOf),
      operator: operatorsOf,
    }),
    configMaps: new Cache({
      owner: ({ metadata }) => (metadata.ownerReferences ?? []).map(({ uid }) => uid),
    }),
    secrets: new Cache(),
    namespaces: new Cache(),
    toolServices: new Cache({ namespace: one<kinds.ServiceObject>(namespaceOf) }),
    endpointSlices: new Cache({ service: one(labelled(SERVICE_NAME_LABEL)) }),
    agentConfigs: new Cache(),
    deployments: new Cache(),
    services: new Cache(),
    podDisruptionBudgets: new Cache(),
    networkPolicies: new Cache(),
    horizontalPodAutoscalers: new Cache(),
    scaledObjects: new Cache(),
    servedKinds: new Cache(),
    pods: new Cache({ agent: one(labelled(INSTANCE_LABEL)) }),
  };
}

export interface Watching {
  /** Resolves when every cache holds all objects that exist. */
  readonly synced: Promise<void>;
  readonly isSynced: () => boolean;
  /** Keeps the caches filled until the signal is aborted, and then resolves. */
  run(signal: AbortSignal): Promise<void>;
}

/** Makes the reflectors that fill the caches. With namespaces, each cache has one reflector a namespace. */
export function watchCluster(options: {
  caches: OperatorCaches;
  client: KubeClient;
  /** Empty: all namespaces. */
  namespaces: readonly string[];
  /** False: others fill the cache of Secrets. */
  watchesSecrets: boolean;
  clock: Clock;
  random: () => number;
  onError: (type: ResourceType, error: unknown) => void;
}): Watching {
  const { caches, client, namespaces, clock, random, onError } = options;
  const reflect = reflectNamespaces(options);

  const ofAgents = { labelSelector: AGENT_LABEL_SELECTOR };
  const reflectors: Pick<Reflector<KubernetesObject>, "run" | "synced" | "isSynced">[] = [
    ...reflect(kinds.AGENT_RUNTIMES, caches.agentRuntimes, {
      transform: (stored) =>
        withSameSpec(
          caches.agentRuntimes.get(keyOf(stored.metadata)),
          withAppliedReplicas(withKeptOff(stored)),
        ),
    }),
    ...reflect(kinds.PROMPT_PACKS, caches.promptPacks),
    ...reflect(kinds.TOOL_REGISTRIES, caches.toolRegistries),
    ...reflect(kinds.CONFIG_MAPS, caches.configMaps, { metadataOnly: true, transform: identityOf }),
    ...(options.watchesSecrets
      ? reflect(kinds.SECRETS, caches.secrets, { metadataOnly: true, transform: identityOf })
      : []),
    ...(namespaces.length === 0
      ? reflect(kinds.NAMESPACES, caches.namespaces, { metadataOnly: true, transform: labelsOf })
      : []),
    ...reflect(kinds.SERVICES, caches.toolServices, { labelSelector: `${TOOL_LABEL}=true` }),
    ...reflect(kinds.ENDPOINT_SLICES, caches.endpointSlices, { transform: readinessOf }),
    ...reflect(kinds.CONFIG_MAPS, caches.agentConfigs, ofAgents),
    ...reflect(kinds.DEPLOYMENTS, caches.deployments, ofAgents),
    ...reflect(kinds.SERVICES, caches.services, ofAgents),
    ...reflect(kinds.POD_DISRUPTION_BUDGETS, caches.podDisruptionBudgets, ofAgents),
    ...reflect(kinds.NETWORK_POLICIES, caches.networkPolicies, ofAgents),
    ...reflect(kinds.HORIZONTAL_POD_AUTOSCALERS, caches.horizontalPodAutoscalers, ofAgents),
    ...reflect(kinds.PODS, caches.pods, { ...ofAgents, transform: stateOf }),
  ];
  const scaledObjects = new OptionalReflector<kinds.ScaledObject>({
    client,
    type: kinds.SCALED_OBJECTS,
    cache: caches.scaledObjects,
    served: caches.servedKinds,
    namespaces,
    ...ofAgents,
    clock,
    random,
    onError: (error) => onError(kinds.SCALED_OBJECTS, error),
  });
  reflectors.push(scaledObjects);
  return {
    synced: Promise.all(reflectors.map(({ synced }) => synced)).then(() => {}),
    isSynced: () => reflectors.every(({ isSynced }) => isSynced),
    run: async (signal) => {
      await Promise.all(reflectors.map((reflector) => reflector.run(signal)));
    },
  };
}

/** There may be very many of these objects, and annotations of others may be long and hold anything. */
function identityOf({ metadata }: KubernetesObject): KubernetesObject {
  const { annotations = {}, ...identity } = metadata;
  const ours = Object.entries(annotations).filter(([name]) => name.startsWith(`${GROUP}/`));
  return {
    metadata: { ...identity, ...(ours.length > 0 && { annotations: Object.fromEntries(ours) }) },
  };
}

/** Every Service of the cluster has at least one slice, and the operator only needs to know whether an endpoint is ready. */
function readinessOf({
  metadata,
  endpoints,
}: kinds.EndpointSliceObject): kinds.EndpointSliceObject {
  const isReady = (endpoints ?? []).some(({ conditions }) => conditions?.ready !== false);
  const { annotations: _, ...identity } = metadata;
  return { metadata: identity, endpoints: isReady ? [{}] : [] };
}

/** Most of a pod is its spec, which was decided here. */
function stateOf({ metadata, spec, status }: kinds.PodObject): kinds.PodObject {
  const { phase, reason, message, podIP, conditions } = status ?? {};
  return {
    metadata,
    spec: withoutUndefined<NonNullable<typeof spec>>({ nodeName: spec?.nodeName }),
    status: withoutUndefined<kinds.PodStatus>({
      phase,
      reason,
      message,
      podIP,
      conditions,
      initContainerStatuses: status?.initContainerStatuses?.map(stateOfContainer),
      containerStatuses: status?.containerStatuses?.map(stateOfContainer),
    }),
  };
}

function stateOfContainer({
  name,
  ready,
  started,
  restartCount,
  state,
  lastState,
}: kinds.ContainerStatus): kinds.ContainerStatus {
  return withoutUndefined<kinds.ContainerStatus>({
    name,
    ready,
    started,
    restartCount,
    state,
    lastState,
  });
}

function labelsOf({
  metadata: { name, uid, resourceVersion, labels },
}: KubernetesObject): KubernetesObject {
  return { metadata: { name, uid, resourceVersion, labels } };
}

function namespaceOf({ metadata }: KubernetesObject): string | undefined {
  return metadata.namespace;
}

/** Gives the key of the object that a label names, in the namespace of the object that has the label. */
function labelled(label: string): (object: KubernetesObject) => string | undefined {
  return ({ metadata }) => {
    const name = metadata.labels?.[label];
    return name && `${metadata.namespace}/${name}`;
  };
}
