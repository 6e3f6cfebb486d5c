/** The pure decision about an AgentRuntime: its agent config, its workload, its status. */
import type { AgentRuntime, AgentRuntimeStatus } from "../api/agent-runtime.ts";
import type { AgentConfig } from "../agent-config.ts";
import type { AgentReferences } from "./references.ts";
import type { SecretFile, WorkloadDecision } from "./workload-decision.ts";

/** The replicas as they are. */
export interface ObservedWorkload {
  replicas: number;
  readyReplicas: number;
  availableReplicas: number;
  updatedReplicas?: number;
  /** `message`: the container's own words, without secrets. */
  failure?: { reason: "PodsFailing" | "DeadlineExceeded"; message: string };
}

export interface AgentRuntimeInput {
  /** Its `status` is the last one written. */
  agentRuntime: AgentRuntime;
  references: AgentReferences;
  /** `undefined`: there is no workload yet. */
  observed: ObservedWorkload | undefined;
  /** What was decided last and carried out: a reference that breaks later keeps it. */
  previous: { config?: AgentConfig; secretFiles?: readonly SecretFile[] };
  /** Where clients connect, when that is not the Service of the agent. */
  endpoint?: string;
  /** Milliseconds since 1970. */
  now: number;
}

export interface AgentRuntimeDecision {
  /** `undefined` until every reference was there once; later the last good one is kept. */
  config: AgentConfig | undefined;
  /** `undefined` exactly when `config` is: then no replica is to run. */
  workload: WorkloadDecision | undefined;
  status: AgentRuntimeStatus;
}

export function decideAgentRuntime(_input: AgentRuntimeInput): AgentRuntimeDecision {
  throw new Error("not yet written");
}
