/** The pure decision about a ToolRegistry: its tools and its status. */
import type { ToolRegistry, ToolRegistryStatus } from "../api/tool-registry.ts";
import type { ResolvedTool } from "./resolved-tool.ts";
import type { ServiceView } from "./service-view.ts";

export interface ToolRegistryInput {
  /** Its `status` is the last one written. */
  toolRegistry: ToolRegistry;
  /** Of the registry's namespace; those that offer no tool may be among them. */
  services: readonly ServiceView[];
  /** Of the entries with a `url`, by the entry's name: whether it can be connected to. */
  probes: Readonly<Record<string, { reachable: boolean; message?: string }>>;
  /** Milliseconds since 1970. */
  now: number;
}

export interface ToolRegistryDecision {
  status: ToolRegistryStatus;
  tools: ResolvedTool[];
}

export function decideToolRegistry(_input: ToolRegistryInput): ToolRegistryDecision {
  throw new Error("not yet written");
}
