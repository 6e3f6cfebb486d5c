/**
 * The resources of a cluster as the HTTP API reads them: followed by watches, without values that may be secret, and with listeners that
 * hear of each change. Of pods and Events no more is kept than is shown. The versions of packs are read when somebody asks.
 */
import { AGENT_RUNTIME, PROMPT_PACK, TOOL_REGISTRY, type OmniaKind } from "../../api/group.ts";
import { INSTANCE_LABEL } from "../../control/agent-runtime/agent-selector.ts";
import { ApiProblem } from "../../gateway/api/requests/api-problem.ts";
import type {
  KeptPackVersion,
  ObjectName,
  ResourceChange,
  ResourceName,
  ResourceSource,
  StoredResource,
  ToolFacts,
} from "../../gateway/resource-source.ts";
import type { ReplicaView } from "../../http-api/agent-views.ts";
import type { EventView } from "../../http-api/resource-views.ts";
import type { KubeClient } from "../../kube/client/client.ts";
import { keyOf, type KubernetesObject, type ResourceType } from "../../kube/client/object.ts";
import { Cache, type CacheChange } from "../../kube/watch/cache.ts";
import { reflectNamespaces } from "../../kube/watch/reflect-namespaces.ts";
import type { Reflector } from "../../kube/watch/reflector.ts";
import {
  PODS,
  PROMPT_PACKS,
  TOOL_REGISTRIES,
  type PodObject,
  type StoredAgentRuntime,
  type StoredPromptPack,
  type StoredToolRegistry,
} from "../../operator/cluster/kubernetes-objects.ts";
import { AGENT_LABEL_SELECTOR } from "../../operator/cluster/labels.ts";
import { PackParser } from "../../operator/prompt-pack/pack-parser.ts";
import type { Clock } from "../../time/clock.ts";
import { keptEvent, KeptEvents } from "./kept-events.ts";
import { CORE_EVENTS, EVENTS_OF_OURS } from "./event-of-object.ts";
import { KeptPacks } from "./kept-packs.ts";
import { replicaOfPod } from "./replica-of-pod.ts";
import { agentRuntimeOf, promptPackOf, toolRegistryOf } from "./resource-of-object.ts";

interface AgentPod extends PodObject {
  /** What is kept of it. */
  readonly replica?: ReplicaView | undefined;
}

type Of<Kind extends OmniaKind> = Extract<StoredResource, { kind: Kind }>;

export interface ClusterResourcesOptions {
  readonly client: KubeClient;
  /** Empty: all namespaces. */
  readonly namespaces: readonly string[];
  /** Somebody else fills it. */
  readonly agentRuntimes: Cache<StoredAgentRuntime>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onError: (type: ResourceType, error: unknown) => void;
}

export class ClusterResources implements ResourceSource {
  readonly #promptPacks = new Cache<StoredPromptPack>();
  readonly #pods = new Cache<AgentPod>({ agent: ({ metadata }) => agentsOfPod(metadata) });
  readonly #events = new KeptEvents();
  readonly #keptPacks: KeptPacks;
  readonly #reflectors: readonly Pick<Reflector<KubernetesObject>, "run" | "isSynced">[];
  readonly #listeners = new Set<(change: ResourceChange) => void>();
  readonly #known = new Map<string, { readonly resource: StoredResource; readonly uid: string }>();
  /** Undefined after a change, until it is asked for. */
  #all: readonly StoredResource[] | undefined;

  constructor(options: ClusterResourcesOptions) {
    const { client, agentRuntimes, clock } = options;
    this.#keptPacks = new KeptPacks({ client, parser: new PackParser({ clock }), clock });
    const toolRegistries = new Cache<StoredToolRegistry>();
    agentRuntimes.subscribe((change) => this.#take(AGENT_RUNTIME, change, agentRuntimeOf));
    this.#promptPacks.subscribe((change) => this.#take(PROMPT_PACK, change, promptPackOf));
    toolRegistries.subscribe((change) => this.#take(TOOL_REGISTRY, change, toolRegistryOf));
    this.#pods.subscribe((change) => this.#takePod(change));
    const reflect = reflectNamespaces(options);
    const events = reflect(CORE_EVENTS, this.#events.cache, {
      fieldSelector: EVENTS_OF_OURS,
      transform: keptEvent,
    });
    this.#events.follow((read) => {
      // What happened before anybody could listen is no news.
      if (!events.every(({ isSynced }) => isSynced)) return;
      if (this.#known.has(nameKey(read.about))) {
        this.#tell({ changed: [], removed: [], events: [read] });
      }
    });
    this.#reflectors = [
      ...reflect(PROMPT_PACKS, this.#promptPacks),
      ...reflect(TOOL_REGISTRIES, toolRegistries),
      ...reflect(PODS, this.#pods, { labelSelector: AGENT_LABEL_SELECTOR, transform: replicaOnly }),
      ...events,
    ];
  }

  /** Whether everything was listed once. */
  get isSynced(): boolean {
    return this.#reflectors.every(({ isSynced }) => isSynced);
  }

  /** Follows the cluster until the signal is aborted, and then resolves. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#reflectors.map((reflector) => reflector.run(signal)));
  }

  resources(): readonly StoredResource[] {
    this.#all ??= [...this.#known.values()].map(({ resource }) => resource);
    return this.#all;
  }

  resource<Kind extends OmniaKind>(
    kind: Kind,
    { namespace, name }: ObjectName,
  ): Of<Kind> | undefined {
    const known = this.#known.get(nameKey({ kind, namespace, name }));
    return known?.resource as Of<Kind> | undefined;
  }

  events(about: ResourceName): readonly EventView[] {
    return this.#events.of(about, this.#known.get(nameKey(about))?.uid);
  }

  replicas({ namespace, name }: ObjectName): readonly ReplicaView[] {
    return this.#pods.indexed("agent", `${namespace}/${name}`).flatMap(({ replica }) => {
      return replica ?? [];
    });
  }

  /** The status of a registry has all that is known of its tools here: lists of servers are read by the operator alone. */
  tools(): readonly ToolFacts[] {
    return [];
  }

  async packVersions(pack: ObjectName, signal: AbortSignal): Promise<readonly KeptPackVersion[]> {
    const stored = this.#promptPacks.get(keyOf(pack));
    if (stored === undefined) return [];
    return await asked(signal, () => this.#keptPacks.versions(stored, signal));
  }

  async packDocument(
    pack: ObjectName,
    hash: string,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, unknown>> | undefined> {
    const stored = this.#promptPacks.get(keyOf(pack));
    if (stored === undefined) return undefined;
    const version = await asked(signal, () => this.#keptPacks.read(stored, hash, signal));
    return version && { ...version.document };
  }

  listen(listener: (change: ResourceChange) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  #take<T extends KubernetesObject>(
    kind: OmniaKind,
    { before, after }: CacheChange<T>,
    convert: (object: T) => StoredResource,
  ): void {
    const { name, namespace = "", uid = "" } = (after ?? before)?.metadata ?? { name: "" };
    const about = { kind, namespace, name };
    this.#all = undefined;
    if (after === undefined) {
      this.#known.delete(nameKey(about));
      this.#tell({ changed: [], removed: [about], events: [] });
      return;
    }
    const resource = convert(after);
    this.#known.set(nameKey(about), { resource, uid });
    this.#tell({ changed: [resource], removed: [], events: [] });
  }

  /** An agent is another one to those who look at it when one of its replicas is. */
  #takePod({ before, after }: CacheChange<AgentPod>): void {
    if (JSON.stringify(before?.replica) === JSON.stringify(after?.replica)) return;
    const { metadata } = after ?? before ?? {};
    const { namespace = "", labels = {} } = metadata ?? {};
    const name = labels[INSTANCE_LABEL] ?? "";
    const agent = this.resource(AGENT_RUNTIME, { namespace, name });
    if (agent !== undefined) this.#tell({ changed: [agent], removed: [], events: [] });
  }

  #tell(change: ResourceChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

async function asked<Answer>(signal: AbortSignal, ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ApiProblem("Unavailable", "the versions of the pack could not be read just now", {
      cause: error,
    });
  }
}

/** A pod is large, and what is shown of it is small. */
function replicaOnly(pod: AgentPod): AgentPod {
  const { name, namespace, uid, resourceVersion, labels = {} } = pod.metadata;
  const instance = labels[INSTANCE_LABEL];
  const kept = instance === undefined ? {} : { [INSTANCE_LABEL]: instance };
  return {
    metadata: { name, namespace, uid, resourceVersion, labels: kept },
    replica: replicaOfPod(pod),
  };
}

function agentsOfPod({ namespace, labels = {} }: KubernetesObject["metadata"]): string[] {
  const name = labels[INSTANCE_LABEL];
  return name === undefined ? [] : [`${namespace}/${name}`];
}

function nameKey({ kind, namespace, name }: ResourceName): string {
  return `${kind} ${namespace}/${name}`;
}
