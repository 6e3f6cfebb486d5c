/** A ToolRegistry as the HTTP API shows it. */
import type { CallerView } from "../../../http-api/caller-view.ts";
import { toolRegistryNameOf } from "../../../api/agent-runtime.ts";
import type { ToolEntry, ToolRegistryStatus } from "../../../api/tool-registry.ts";
import type { EventView } from "../../../http-api/resource-views.ts";
import type {
  ToolRegistryDetail,
  ToolRegistryView,
  ToolView,
} from "../../../http-api/tool-views.ts";
import type { StoredAgentRuntime, StoredToolRegistry, ToolFacts } from "../../resource-source.ts";
import { conditionViews, explainView } from "./explain-view.ts";
import { manifestText } from "./manifest-text.ts";

type ToolRow = NonNullable<ToolRegistryStatus["tools"]>[number];

/** Calls by these methods are made to change something. */
const CHANGING_METHODS: readonly string[] = ["PUT", "PATCH", "DELETE"];

export function toolRegistryView(
  registry: StoredToolRegistry,
  place: CallerView["mode"],
): ToolRegistryView {
  const { metadata, status } = registry;
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    phase: status.phase ?? "Pending",
    discoveredTools: status.discoveredTools ?? 0,
    availableTools: status.availableTools ?? 0,
    explain: explainView(registry, place),
    createdAt: metadata.creationTimestamp,
  };
}

export function toolRegistryDetail(
  registry: StoredToolRegistry,
  {
    tools,
    agents,
    events,
    place,
  }: {
    readonly tools: readonly ToolFacts[];
    /** The agents that refer to the registry, as far as the caller may see them. */
    readonly agents: readonly StoredAgentRuntime[];
    readonly events: readonly EventView[];
    readonly place: CallerView["mode"];
  },
): ToolRegistryDetail {
  const facts = new Map(tools.map((tool) => [keyOf(tool), tool]));
  const entries = new Map(registry.spec.tools.map((entry) => [entry.name, entry]));
  const users = agents.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).toSorted();
  return {
    ...toolRegistryView(registry, place),
    tools: (registry.status.tools ?? []).map((row) =>
      toolView(row, facts.get(keyOf(row)), entries.get(row.server ?? row.name), users),
    ),
    conditions: conditionViews(registry),
    events: [...events],
    manifest: manifestText(registry),
  };
}

/** The agents among these that refer to the registry. */
export function agentsOfRegistry(
  { metadata }: StoredToolRegistry,
  agents: readonly StoredAgentRuntime[],
): StoredAgentRuntime[] {
  return agents.filter((agent) => {
    const reference = toolRegistryNameOf(agent.spec);
    const namespace = reference?.namespace ?? agent.metadata.namespace;
    return reference?.name === metadata.name && namespace === metadata.namespace;
  });
}

/** `entry` is undefined for a tool that a Service offers under a name of its own. */
function toolView(
  row: ToolRow,
  facts: ToolFacts | undefined,
  entry: ToolEntry | undefined,
  agents: readonly string[],
): ToolView {
  const approval = entry?.approval;
  const own = row.server === undefined ? entry : undefined;
  return {
    name: row.name,
    type: row.type ?? entry?.type ?? "http",
    server: row.server,
    // The entry of a tool that its server lists describes the server.
    description: facts?.description ?? own?.description ?? "",
    inputSchema: { ...(facts?.inputSchema ?? own?.inputSchema ?? { type: "object" }) },
    isDescribedByServer: row.server !== undefined && facts === undefined ? true : undefined,
    available: row.available,
    reason: row.reason,
    message: row.message,
    address: row.endpoint ?? "",
    agents: [...agents],
    destructive: isDestructive(entry),
    approval: typeof approval === "object" ? "arguments" : approval,
  };
}

/** Whoever wants a user to be asked before a call, or calls by such a method, says that a call changes something. */
function isDestructive(entry: ToolEntry | undefined): boolean {
  if (entry === undefined) return false;
  const isAsked = entry.approval !== undefined && entry.approval !== "never";
  return isAsked || (entry.type === "http" && CHANGING_METHODS.includes(entry.method));
}

function keyOf({ name, server }: { name: string; server?: string | undefined }): string {
  return `${server ?? ""} ${name}`;
}
