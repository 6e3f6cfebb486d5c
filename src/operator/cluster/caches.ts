/**
 * What the operator knows of the cluster: one cache a kind, filled by watches. Secrets and the ConfigMaps of users are held as
 * metadata only; who needs their content reads it.
 */
import { GROUP, TOOL_LABEL } from "../../api/group.ts";
import { INSTANCE_LABEL } from "../../control/agent-runtime/agent-selector.ts";
import { Cache, type IndexFunction } from "../../kube/watch/cache.ts";
import type { KubeClient } from "../../kube/client/client.ts";
import type { Clock } from "../../time/clock.ts";
import type { KubernetesObject, ResourceType } from "../../kube/client/object.ts";
import { Reflector, type ReflectorOptions } from "../../kube/watch/reflector.ts";
import * as kinds from "./kubernetes-objects.ts";
import { AGENT_LABEL_SELECTOR, SERVICE_NAME_LABEL } from "./labels.ts";
import {
  configMapsOf,
  promptPackOf,
  secretsOf,
  sourceOf,
  toolRegistryOf,
  toolSecretNamesOf,
} from "./references-of.ts";

export interface OperatorCaches {
  /** Indexes: promptPack, toolRegistry, secret, configMap, each by the key of what is referred to. */
  readonly agentRuntimes: Cache<kinds.StoredAgentRuntime>;
  /** Index: source, by the key of the ConfigMap. */
  readonly promptPacks: Cache<kinds.StoredPromptPack>;
  /** Indexes: toolSecret, by the bare name of a Secret; namespace. */
  readonly toolRegistries: Cache<kinds.StoredToolRegistry>;
  /** Metadata only. Index: owner, by uid: the kept versions of a PromptPack are found by it. */
  readonly configMaps: Cache<KubernetesObject>;
  /** Metadata only. */
  readonly secrets: Cache<KubernetesObject>;
  /** Those that may be tools. Index: namespace. */
  readonly toolServices: Cache<kinds.ServiceObject>;
  /** Index: service, by the key of the Service. */
  readonly endpointSlices: Cache<kinds.EndpointSliceObject>;
  /** What was made for agents, whole. */
  readonly agentConfigs: Cache<kinds.ConfigMapObject>;
  readonly deployments: Cache<kinds.DeploymentObject>;
  readonly services: Cache<kinds.ServiceObject>;
  readonly podDisruptionBudgets: Cache<kinds.PodDisruptionBudgetObject>;
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
    }),
    promptPacks: new Cache({ source: one(sourceOf) }),
    toolRegistries: new Cache({ toolSecret: toolSecretNamesOf, namespace: one(namespaceOf) }),
    configMaps: new Cache({
      owner: ({ metadata }) => (metadata.ownerReferences ?? []).map(({ uid }) => uid),
    }),
    secrets: new Cache(),
    toolServices: new Cache({ namespace: one<kinds.ServiceObject>(namespaceOf) }),
    endpointSlices: new Cache({ service: one(labelled(SERVICE_NAME_LABEL)) }),
    agentConfigs: new Cache(),
    deployments: new Cache(),
    services: new Cache(),
    podDisruptionBudgets: new Cache(),
    pods: new Cache({ agent: one(labelled(INSTANCE_LABEL)) }),
  };
}

export interface Watching {
  /** Resolves once every cache holds what there is. */
  readonly synced: Promise<void>;
  readonly isSynced: () => boolean;
  /** Resolves when the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
}

/** Reflectors for every cache; with namespaces, one a namespace. */
export function watchCluster(options: {
  caches: OperatorCaches;
  client: KubeClient;
  /** Empty: all of them. */
  namespaces: readonly string[];
  clock: Clock;
  random: () => number;
  onError: (type: ResourceType, error: unknown) => void;
}): Watching {
  const { caches, client, namespaces, clock, random, onError } = options;
  const scopes = namespaces.length === 0 ? [undefined] : namespaces;
  const reflect = <T extends KubernetesObject>(
    type: ResourceType,
    cache: Cache<T>,
    what: Pick<ReflectorOptions<T>, "labelSelector" | "metadataOnly" | "transform"> = {},
  ): Reflector<T>[] =>
    scopes.map(
      (namespace) =>
        new Reflector<T>({
          client,
          type,
          cache,
          namespace,
          ...what,
          clock,
          random,
          onError: (error) => onError(type, error),
        }),
    );

  const ofAgents = { labelSelector: AGENT_LABEL_SELECTOR };
  const reflectors: Pick<Reflector<KubernetesObject>, "run" | "synced" | "isSynced">[] = [
    ...reflect(kinds.AGENT_RUNTIMES, caches.agentRuntimes),
    ...reflect(kinds.PROMPT_PACKS, caches.promptPacks),
    ...reflect(kinds.TOOL_REGISTRIES, caches.toolRegistries),
    ...reflect(kinds.CONFIG_MAPS, caches.configMaps, { metadataOnly: true, transform: identityOf }),
    ...reflect(kinds.SECRETS, caches.secrets, { metadataOnly: true, transform: identityOf }),
    ...reflect(kinds.SERVICES, caches.toolServices, { labelSelector: `${TOOL_LABEL}=true` }),
    ...reflect(kinds.ENDPOINT_SLICES, caches.endpointSlices, { transform: readinessOf }),
    ...reflect(kinds.CONFIG_MAPS, caches.agentConfigs, ofAgents),
    ...reflect(kinds.DEPLOYMENTS, caches.deployments, ofAgents),
    ...reflect(kinds.SERVICES, caches.services, ofAgents),
    ...reflect(kinds.POD_DISRUPTION_BUDGETS, caches.podDisruptionBudgets, ofAgents),
    ...reflect(kinds.PODS, caches.pods, { ...ofAgents, transform: stateOf }),
  ];
  return {
    synced: Promise.all(reflectors.map(({ synced }) => synced)).then(() => {}),
    isSynced: () => reflectors.every(({ isSynced }) => isSynced),
    run: async (signal) => {
      await Promise.all(reflectors.map((reflector) => reflector.run(signal)));
    },
  };
}

/** Who an object is, and whose: there may be very many, and annotations of others may hold what they please. */
function identityOf({ metadata }: KubernetesObject): KubernetesObject {
  const { annotations = {}, ...identity } = metadata;
  const ours = Object.entries(annotations).filter(([name]) => name.startsWith(`${GROUP}/`));
  return {
    metadata: { ...identity, ...(ours.length > 0 && { annotations: Object.fromEntries(ours) }) },
  };
}

/** There is one slice or more for every Service of the cluster: all that is asked is whether an endpoint is ready. */
function readinessOf({
  metadata,
  endpoints,
}: kinds.EndpointSliceObject): kinds.EndpointSliceObject {
  const isReady = (endpoints ?? []).some(({ conditions }) => conditions?.ready !== false);
  const { annotations: _, ...identity } = metadata;
  return { metadata: identity, endpoints: isReady ? [{}] : [] };
}

/** A pod is mostly spec, and the spec is the one that was decided here. */
function stateOf({ metadata, spec, status }: kinds.PodObject): kinds.PodObject {
  const { phase, reason, message, conditions, containerStatuses } = status ?? {};
  return {
    metadata,
    spec: spec?.nodeName === undefined ? {} : { nodeName: spec.nodeName },
    status: {
      ...(phase === undefined ? {} : { phase }),
      ...(reason === undefined ? {} : { reason }),
      ...(message === undefined ? {} : { message }),
      ...(conditions === undefined ? {} : { conditions }),
      ...(containerStatuses === undefined
        ? {}
        : {
            containerStatuses: containerStatuses.map(
              ({ name, ready, started, restartCount, state, lastState }) => ({
                name,
                ready,
                ...(started === undefined ? {} : { started }),
                restartCount,
                ...(state === undefined ? {} : { state }),
                ...(lastState === undefined ? {} : { lastState }),
              }),
            ),
          }),
    },
  };
}

function namespaceOf({ metadata }: KubernetesObject): string | undefined {
  return metadata.namespace;
}

/** The key of what a label names, in the namespace of the object. */
function labelled(label: string): (object: KubernetesObject) => string | undefined {
  return ({ metadata }) => {
    const name = metadata.labels?.[label];
    return name && `${metadata.namespace}/${name}`;
  };
}
