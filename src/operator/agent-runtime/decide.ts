import type { AgentRuntimeSpec } from "../../api/agent-runtime.ts";
import type { AutoscalerState } from "../../control/agent-runtime/autoscaling-ready.ts";
import {
  type AgentRuntimeDecision,
  type AgentRuntimeInput,
  decideAgentRuntime,
} from "../../control/agent-runtime/decide-agent-runtime.ts";
import type { Clock } from "../../time/clock.ts";
import type { AgentChildren } from "./children.ts";
import type { Phase, Writes } from "./pass.ts";
import { observeWorkload } from "./pods/observe-workload.ts";

/** Describes the autoscaler of an agent. The problem is why it could not be written. */
export type ObserveAutoscaler = (
  spec: AgentRuntimeSpec,
  own: AgentChildren,
  problem: string | undefined,
) => AutoscalerState;

/** Decides the agent config, the workload and the status. Reads and writes nothing. */
export function decide(
  clock: Pick<Clock, "now">,
  { policy, gatewayKeys }: Pick<AgentRuntimeInput, "policy" | "gatewayKeys">,
  observeAutoscaler: ObserveAutoscaler,
): Phase {
  return async (pass) => {
    const { stored, agentRuntime, gathered, own, pods, reports } = pass;
    if (gathered === undefined) return;
    const { references, lastFiles } = gathered;
    const decideAfter = ({ autoscalerProblem, ...writes }: Writes): AgentRuntimeDecision =>
      decideAgentRuntime({
        agentRuntime,
        references,
        observed: observeWorkload({ deployment: own.deployment, pods, reports, ...writes }),
        autoscaler: {
          ...observeAutoscaler(agentRuntime.spec, own, autoscalerProblem),
          isOpposed: stored.appliesReplicas,
        },
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
