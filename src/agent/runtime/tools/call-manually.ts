/** Calls a tool as a turn would: by the same server, with the same check of its arguments, counted in the same metric. */
import type { Clock } from "../../../time/clock.ts";
import type { AgentMetrics } from "../../contracts/agent-metrics.ts";
import type { ManualCall, ManualCallResult } from "../../contracts/manual-call.ts";
import { findTool } from "./find-tool.ts";
import { needsApproval } from "./needs-approval.ts";
import type { OfferedTool } from "./offered-tool.ts";
import { checkToolArguments } from "./tool-arguments.ts";

export interface ManualCallOptions {
  readonly clock: Pick<Clock, "monotonic">;
  readonly metrics: Pick<AgentMetrics, "toolCallsTotal"> | undefined;
}

/** `tools`: those that the agent has. Rejects only when the signal is aborted, with its reason. */
export async function callManually(
  tools: readonly OfferedTool[],
  call: ManualCall,
  { clock, metrics }: ManualCallOptions,
): Promise<ManualCallResult> {
  const tool = findTool(tools, call.name);
  if (tool === undefined) {
    return { status: "unknown-tool", tools: tools.map(({ name }) => name) };
  }
  const problem = await checkToolArguments(tool, call.arguments);
  if (problem !== undefined) return { status: "invalid-arguments", problem };
  if (!call.isApproved && (await needsApproval(tool.approval, call.arguments))) {
    return { status: "approval-needed" };
  }
  const { signal, caller, callId } = call;
  signal.throwIfAborted();
  const begun = clock.monotonic();
  const { calledName, server, timeoutMs } = tool;
  const outcome = await server.call(calledName, call.arguments, {
    signal,
    timeoutMs,
    caller,
    callId,
  });
  const ms = Math.round(clock.monotonic() - begun);
  const status = "error" in outcome ? "error" : "success";
  metrics?.toolCallsTotal.add(1, { tool: tool.name, status });
  return { status: "called", outcome, ms };
}
