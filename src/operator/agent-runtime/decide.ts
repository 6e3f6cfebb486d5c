import {
  type AgentRuntimeDecision,
  type AgentRuntimeInput,
  decideAgentRuntime,
} from "../../control/agent-runtime/decide-agent-runtime.ts";
import type { Clock } from "../../time/clock.ts";
import type { Phase } from "./pass.ts";
import { observeWorkload, type WorkloadFacts } from "./pods/observe-workload.ts";

/** Decides the agent config, the workload and the status. Reads and writes nothing. */
export function decide(
  clock: Pick<Clock, "now">,
  { policy, gatewayKeys }: Pick<AgentRuntimeInput, "policy" | "gatewayKeys">,
): Phase {
  return async (pass) => {
    const { agentRuntime, gathered, own, pods, reports } = pass;
    if (gathered === undefined) return;
    const { references, lastFiles } = gathered;
    const decideAfter = (
      writes: Pick<WorkloadFacts, "problem" | "isOutdated">,
    ): AgentRuntimeDecision =>
      decideAgentRuntime({
        agentRuntime,
        references,
        observed: observeWorkload({ deployment: own.deployment, pods, reports, ...writes }),
        previous: lastFiles,
        policy,
        gatewayKeys,
        now: clock.now(),
      });
    pass.decision = {
      ...decideAfter({}),
      statusAfter: (writes) => decideAfter(writes).status,
    };
  };
}
