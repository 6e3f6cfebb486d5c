import type { AgentRuntimeStatus } from "../../api/agent-runtime.ts";
import type { WrittenStatuses } from "../cluster/written-statuses.ts";
import type { Phase } from "./pass.ts";

/** The one write of the status. */
export function writeStatus(statuses: WrittenStatuses<AgentRuntimeStatus>): Phase {
  return async ({ stored, decision, applied }, signal) => {
    if (decision === undefined) return;
    const { problem, autoscalerProblem, isOutdated = false } = applied ?? {};
    // The caches are about to show what was created, which leads to another pass and to another status.
    const isAboutToShow = applied !== undefined && applied.created.length > 0;
    if (isAboutToShow && problem === undefined) return;
    const status =
      problem === undefined && autoscalerProblem === undefined && !isOutdated
        ? decision.status
        : decision.statusAfter({ problem, autoscalerProblem, isOutdated });
    await statuses.write(stored, status, signal);
  };
}
