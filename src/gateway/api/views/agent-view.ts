/** An AgentRuntime as the HTTP API shows it. */
import { toolRegistryNameOf } from "../../../api/agent-runtime.ts";
import type {
  AgentDetail,
  AgentView,
  BudgetView,
  ReplicaView,
} from "../../../http-api/agent-views.ts";
import type { CallerView } from "../../../http-api/caller-view.ts";
import type { EventView } from "../../../http-api/resource-views.ts";
import type { StoredAgentRuntime, StoredPromptPack } from "../../resource-source.ts";
import { conditionViews, explainView } from "./explain-view.ts";
import { manifestText } from "./manifest-text.ts";

/** What is known of an agent besides its resource. */
export interface AgentFacts {
  /** The pack that it refers to, if that is there and the caller may see it. */
  readonly pack: StoredPromptPack | undefined;
  /** Of all replicas. Undefined where nobody counts. */
  readonly connections: number | undefined;
  /** The address at which the caller reaches the gateway, such as `wss://omnia.example`. */
  readonly webSocketOrigin: string;
  readonly can: AgentView["can"];
  readonly place: CallerView["mode"];
}

export function agentView(agent: StoredAgentRuntime, facts: AgentFacts): AgentView {
  const { metadata, spec, status } = agent;
  const { namespace, name } = metadata;
  const { handler, auth } = spec.facade;
  const [ready, wanted] = readyOfWanted(agent);
  return {
    namespace,
    name,
    phase: status.phase ?? "Pending",
    ready,
    wanted,
    handler,
    provider: handler === "runtime" ? spec.provider?.name : undefined,
    model: handler === "runtime" ? spec.provider?.model : undefined,
    pack: packOf(agent, facts.pack),
    registry: registryOf(agent),
    sessionStore: spec.session.type,
    connections: facts.connections,
    explain: explainView(agent, facts.place),
    wsUrl: `${facts.webSocketOrigin}/ws?${new URLSearchParams({ agent: name, namespace }).toString()}`,
    authenticated: auth !== undefined,
    can: facts.can,
    createdAt: metadata.creationTimestamp,
  };
}

export function agentDetail(
  agent: StoredAgentRuntime,
  {
    replicas,
    events,
    suggestions,
    ...facts
  }: AgentFacts & {
    readonly replicas: readonly ReplicaView[];
    readonly events: readonly EventView[];
    readonly suggestions: readonly string[];
  },
): AgentDetail {
  return {
    ...agentView(agent, facts),
    conditions: conditionViews(agent),
    events: [...events],
    replicas: [...replicas],
    budget: budgetOf(agent, replicas),
    manifest: manifestText(agent),
    suggestions: [...suggestions],
  };
}

/** Only the handler `runtime` uses tokens. */
function budgetOf(
  { spec }: StoredAgentRuntime,
  replicas: readonly ReplicaView[],
): BudgetView | undefined {
  if (spec.facade.handler !== "runtime" || spec.budget === undefined) return undefined;
  const told = replicas.flatMap(({ tokensToday }) => tokensToday ?? []);
  const { maxTokensPerDay } = spec.budget;
  const isTold = maxTokensPerDay !== undefined && told.length > 0;
  return { ...spec.budget, tokensToday: isTold ? Math.max(...told) : undefined };
}

/** The pack that an agent refers to, as `namespace` and `name`. */
export function packNameOf({
  metadata,
  spec,
}: StoredAgentRuntime): { namespace: string; name: string } | undefined {
  if (spec.facade.handler !== "runtime" || spec.promptPackRef === undefined) return undefined;
  const { name, namespace = metadata.namespace } = spec.promptPackRef;
  return { namespace, name };
}

/** The registry that an agent refers to, as `namespace/name` where it is in another namespace. */
function registryOf({ metadata, spec }: StoredAgentRuntime): string | undefined {
  const reference = toolRegistryNameOf(spec);
  if (reference === undefined) return undefined;
  const { name, namespace = metadata.namespace } = reference;
  return namespace === metadata.namespace ? name : `${namespace}/${name}`;
}

function readyOfWanted({ spec, status }: StoredAgentRuntime): [ready: number, wanted: number] {
  const [, ready, wanted] = /^(\d+)\/(\d+)$/.exec(status.ready ?? "") ?? [];
  if (ready !== undefined && wanted !== undefined) return [Number(ready), Number(wanted)];
  return [status.readyReplicas ?? 0, spec.replicas];
}

function packOf(
  agent: StoredAgentRuntime,
  pack: StoredPromptPack | undefined,
): AgentView["pack"] | undefined {
  const named = packNameOf(agent);
  if (named === undefined) return undefined;
  const runs = agent.status.promptPackVersion;
  const { activeVersion, activeSemver, canaryVersion, canarySemver, canaryWeight } =
    pack?.status ?? {};
  const version = runs === undefined || runs === activeVersion ? (activeSemver ?? runs) : runs;
  return {
    name:
      named.namespace === agent.metadata.namespace
        ? named.name
        : `${named.namespace}/${named.name}`,
    version: version ?? "",
    canary:
      canaryVersion === undefined
        ? undefined
        : { version: canarySemver ?? canaryVersion, weight: canaryWeight ?? 0 },
  };
}
