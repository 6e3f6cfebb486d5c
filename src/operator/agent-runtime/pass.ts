import type { AgentRuntime, AgentRuntimeStatus } from "../../api/agent-runtime.ts";
import type { AgentRuntimeDecision } from "../../control/agent-runtime/decide-agent-runtime.ts";
import type { ReplicaReport } from "../../control/agent-runtime/available.ts";
import type { AgentReferences } from "../../control/agent-runtime/references.ts";
import type { ReconcileResult } from "../../kube/controller/controller.ts";
import type { PodObject, StoredAgentRuntime } from "../cluster/kubernetes-objects.ts";
import type { AgentWanted, CarriedOut } from "./carry-out.ts";
import type { AgentChildren } from "./children.ts";
import type { KnownFiles } from "./files/agent-files.ts";
import type { AgentMemory } from "./memories.ts";
import type { WorkloadFacts } from "./pods/observe-workload.ts";

interface Decision extends AgentRuntimeDecision {
  /** The status after what became of the writes. */
  readonly statusAfter: (writes: Writes) => AgentRuntimeStatus;
}

/** What became of the writes, as far as the status tells of it. */
export interface Writes extends Pick<WorkloadFacts, "problem" | "isOutdated"> {
  readonly autoscalerProblem?: string | undefined;
}

/** One pass over one AgentRuntime: what the caches hold at its beginning, and what the phases add to that. */
export interface Pass {
  readonly stored: StoredAgentRuntime;
  readonly agentRuntime: AgentRuntime;
  readonly memory: AgentMemory;
  /** The objects that have the names of the agent's objects, whoever owns them. */
  readonly children: AgentChildren;
  /** Those of them that the agent owns. */
  readonly own: AgentChildren;
  readonly pods: readonly PodObject[];
  /** Set by `hearReplicas`. */
  reports?: readonly ReplicaReport[];
  /** Set by `gather`. */
  gathered?: { readonly references: AgentReferences; readonly lastFiles: KnownFiles };
  /** Set by `decide`. */
  decision?: Decision;
  /** Set by `prepareFiles`, unless nothing is to run. */
  wanted?: AgentWanted;
  /** Set by `applyObjects`. */
  applied?: CarriedOut;
}

export interface PhaseResult {
  /** The AgentRuntime needs another pass after this time at the latest. */
  readonly requeueAfterMs?: number | undefined;
  /** The phases after this one are left out. */
  readonly endsPass?: boolean;
}

/** Does its part of a pass, or nothing when earlier phases left it nothing to do. Rejects when the whole pass is to be repeated. */
export type Phase = (pass: Pass, signal: AbortSignal) => Promise<PhaseResult | void>;

/** Runs the phases in order. The next pass is due when the most impatient of them wants it. */
export async function runPhases(
  phases: readonly Phase[],
  pass: Pass,
  signal: AbortSignal,
): Promise<ReconcileResult | undefined> {
  const delays: number[] = [];
  for (const phase of phases) {
    const result = await phase(pass, signal);
    if (result?.requeueAfterMs !== undefined) delays.push(result.requeueAfterMs);
    if (result?.endsPass === true) break;
  }
  return delays.length === 0 ? undefined : { requeueAfterMs: Math.min(...delays) };
}
