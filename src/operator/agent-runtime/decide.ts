import type { AgentRuntimeSpec, AgentRuntimeStatus } from "../../api/agent-runtime.ts";
import type { AutoscalerState } from "../../control/agent-runtime/autoscaling-ready.ts";
import {
  type AgentRuntimeInput,
  decideStatus,
  decideWanted,
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
    const wanted = decideWanted({
      agentRuntime,
      references,
      previous: lastFiles,
      policy,
      gatewayKeys,
    });
    const statusAfter = ({ autoscalerProblem, ...writes }: Writes): AgentRuntimeStatus =>
      decideStatus(wanted, {
        agentRuntime,
        observed: observeWorkload({ deployment: own.deployment, pods, reports, ...writes }),
        autoscaler: {
          ...observeAutoscaler(agentRuntime.spec, own, autoscalerProblem),
          isOpposed: stored.appliesReplicas,
        },
        now: clock.now(),
      });
    const { config, workload, madeOf } = wanted;
    pass.decision = { config, workload, madeOf, status: statusAfter({}), statusAfter };
  };
}
