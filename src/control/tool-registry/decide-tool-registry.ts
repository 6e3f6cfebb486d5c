/** The pure decision about a ToolRegistry: its tools and its status. */
import type { ToolRegistry, ToolRegistryStatus } from "../../api/tool-registry.ts";
import type { KnownList } from "../../tool-servers/lists/known-list.ts";
import { toConditions } from "../condition.ts";
import type { AllowedAddresses } from "../../network/address-verdict.ts";
import { withoutUndefined } from "../without-undefined.ts";
import { allToolsReady } from "./all-tools-ready.ts";
import { toolsAvailable } from "./tools-available.ts";
import { MAX_TOOLS, type ProbedURLs, resolveTools, type ToolOutcome } from "./resolve-tools.ts";
import { type ConfigMaps, withDescriptorSets } from "./descriptor-sets.ts";
import type { ResolvedTool } from "./resolved-tool.ts";
import { operationsOf, ServerOperations } from "./server-operations.ts";
import {
  rowOf,
  SERVER_TYPES,
  serverTools,
  type ServerTools,
  type ToolLists,
  type ToolStatus,
} from "./server-tools.ts";
import type { ServiceView } from "./service-view.ts";

/** Of the rows of a status. An object of etcd has up to 1.5 MiB. */
const MAX_STATUS_CHARACTERS = 512 * 1024;

export interface ToolRegistryInput {
  /** Its `status` is the one that was written last. */
  toolRegistry: ToolRegistry;
  /** There may be Services among them that offer no tool, or that are in other namespaces. */
  services: readonly ServiceView[];
  /** A URL of an entry that is not among them has not been tried yet. */
  probes: ProbedURLs;
  /** What tools that are given by URL may have as an address, besides public ones. Without it nothing else. */
  urlAddresses?: AllowedAddresses | undefined;
  /** Those that its entries name, as far as they are there. */
  configMaps?: ConfigMaps | undefined;
  /** Whether agents run commands as servers of tools. */
  runsCommands?: boolean | undefined;
  /** The list of a server that is not among them has not been read yet. */
  lists?: ToolLists | undefined;
  /** What `resolveInput` gave for the rest of the input, for those who needed it before. */
  outcomes?: readonly ToolOutcome[] | undefined;
  /** Milliseconds since 1970. */
  now: number;
}

export interface ToolRegistryDecision {
  status: ToolRegistryStatus;
  tools: ResolvedTool[];
  /** The tools whose server describes them in another way than when the status was written last. */
  changed: { readonly server: string; readonly tool: string }[];
}

/** The tools of the entries, as far as they are known without the lists of their servers. */
export function resolveInput({
  toolRegistry: { metadata, spec },
  services,
  probes,
  urlAddresses,
  runsCommands,
  configMaps = new Map(),
}: ToolRegistryInput): ToolOutcome[] {
  const own = services.filter(({ namespace }) => namespace === metadata.namespace);
  const outcomes = resolveTools(spec.tools, own, probes, urlAddresses, runsCommands);
  return withDescriptorSets(outcomes, configMaps);
}

export function decideToolRegistry(input: ToolRegistryInput): ToolRegistryDecision {
  const { metadata, status } = input.toolRegistry;
  const { lists = new Map(), outcomes = resolveInput(input) } = input;
  const operations = new ServerOperations();
  const states = outcomes.map((outcome) => {
    const list = operations.fitting(lists.get(outcome.name));
    return stateOf(outcome, list, status?.tools ?? []);
  });
  const problems = states.flatMap((state) => state.problems);
  const rows = fitting(states.flatMap((state) => state.rows));
  const found = rows.filter(({ reason }) => reason !== "NoServices").length;
  const available = rows.filter((row) => row.available).length;
  const findings = [toolsAvailable(available, problems), allToolsReady(available, problems)];
  const generation = metadata.generation ?? 1;
  return {
    status: withoutUndefined<ToolRegistryStatus>({
      phase: phaseOf({ found, available, hasProblems: problems.length > 0 }),
      discoveredTools: found,
      availableTools: available,
      tools: rows,
      observedGeneration: generation,
      conditions: toConditions("ToolRegistry", findings, {
        previous: status?.conditions,
        generation,
        now: input.now,
      }),
    }),
    tools: states.flatMap(({ tool }) => tool ?? []),
    changed: states.flatMap(({ server, changed }) => changed.map((tool) => ({ server, tool }))),
  };
}

/** A registry is Pending while nothing was found, and Failed when nothing that was found can be called. */
function phaseOf({
  found,
  available,
  hasProblems,
}: {
  found: number;
  available: number;
  hasProblems: boolean;
}): ToolRegistryStatus["phase"] {
  if (found === 0) return "Pending";
  if (available === 0) return "Failed";
  return hasProblems ? "Degraded" : "Ready";
}

interface ToolState extends ServerTools {
  readonly server: string;
  readonly tool: ResolvedTool | undefined;
}

function stateOf(
  outcome: ToolOutcome,
  list: KnownList | undefined,
  earlier: readonly ToolStatus[],
): ToolState {
  const { name: server, type, tool, problem } = outcome;
  if (tool === undefined || !SERVER_TYPES.includes(type)) {
    const problems = problem === undefined ? [] : [{ tool: server, ...problem }];
    const rows = [rowOf(outcome, problem?.reason)];
    return { server, tool, rows, problems, listed: undefined, changed: [] };
  }
  const tools = serverTools({ ...outcome, tool }, list, earlier);
  const openapi = tool.openapi && { ...tool.openapi, operations: operationsOf(list) };
  return { server, ...tools, tool: { ...tool, openapi, listed: tools.listed } };
}

/** Leaves out what would be too much for the API server. */
function fitting(rows: readonly ToolStatus[]): ToolStatus[] {
  let characters = 0;
  return rows.slice(0, MAX_TOOLS).filter((row) => {
    characters += JSON.stringify(row).length;
    return characters <= MAX_STATUS_CHARACTERS;
  });
}
