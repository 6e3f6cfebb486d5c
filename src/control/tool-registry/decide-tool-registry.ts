/** The pure decision about a ToolRegistry: its tools and its status. */
import type { ToolRegistry, ToolRegistryStatus } from "../../api/tool-registry.ts";
import { toConditions } from "../condition.ts";
import type { AllowedAddresses } from "../../network/address-verdict.ts";
import { withoutUndefined } from "../without-undefined.ts";
import { allToolsReady } from "./all-tools-ready.ts";
import { toolsAvailable } from "./tools-available.ts";
import { type ProbedURLs, resolveTools, type ToolOutcome } from "./resolve-tools.ts";
import type { ResolvedTool } from "./resolved-tool.ts";
import type { ServiceView } from "./service-view.ts";

export interface ToolRegistryInput {
  /** Its `status` is the one that was written last. */
  toolRegistry: ToolRegistry;
  /** There may be Services among them that offer no tool, or that are in other namespaces. */
  services: readonly ServiceView[];
  /** A URL of an entry that is not among them has not been tried yet. */
  probes: ProbedURLs;
  /** What tools that are given by URL may have as an address, besides public ones. Without it nothing else. */
  urlAddresses?: AllowedAddresses | undefined;
  /** Whether agents run commands as servers of tools. */
  runsCommands?: boolean | undefined;
  /** Milliseconds since 1970. */
  now: number;
}

export interface ToolRegistryDecision {
  status: ToolRegistryStatus;
  tools: ResolvedTool[];
}

export function decideToolRegistry(input: ToolRegistryInput): ToolRegistryDecision {
  const { metadata, spec, status } = input.toolRegistry;
  const services = input.services.filter(({ namespace }) => namespace === metadata.namespace);
  const { probes, urlAddresses, runsCommands } = input;
  const outcomes = resolveTools(spec.tools, services, probes, urlAddresses, runsCommands);
  const problems = outcomes.flatMap(({ name, problem }) =>
    problem === undefined ? [] : [{ tool: name, ...problem }],
  );
  const found = outcomes.filter(({ problem }) => problem?.reason !== "NoServices").length;
  const available = outcomes.length - problems.length;
  const findings = [toolsAvailable(available, problems), allToolsReady(available, problems)];
  const generation = metadata.generation ?? 1;
  return {
    status: withoutUndefined<ToolRegistryStatus>({
      phase: phaseOf({ found, available, all: outcomes.length }),
      discoveredTools: found,
      availableTools: available,
      tools: outcomes.map(toToolStatus),
      observedGeneration: generation,
      conditions: toConditions("ToolRegistry", findings, {
        previous: status?.conditions,
        generation,
        now: input.now,
      }),
    }),
    tools: outcomes.flatMap(({ tool }) => tool ?? []),
  };
}

/** A registry is Pending while nothing was found, and Failed when nothing that was found can be called. */
function phaseOf({
  found,
  available,
  all,
}: {
  found: number;
  available: number;
  all: number;
}): ToolRegistryStatus["phase"] {
  if (found === 0) return "Pending";
  if (available === 0) return "Failed";
  return available === all ? "Ready" : "Degraded";
}

function toToolStatus({ name, type, endpoint, problem }: ToolOutcome) {
  return {
    name,
    type,
    endpoint,
    available: problem === undefined,
    reason: problem?.reason,
  };
}
