/** The calls of one step that are made only when the user approves them. */
import type { Usage } from "../../../protocol/frames.ts";
import type { TurnResult } from "../../contracts/handler.ts";
import type { ToolRun } from "./tool-runs.ts";

/** Sorts the calls of a step into those that are made now and those that wait. Most steps have none that waits. */
export async function byApproval(
  runs: readonly ToolRun[],
): Promise<{ ready: readonly ToolRun[]; waiting: readonly ToolRun[] }> {
  const waits = await Promise.all(runs.map((run) => run.waits()));
  if (!waits.includes(true)) return { ready: runs, waiting: [] };
  return {
    ready: runs.filter((_, index) => waits[index] === false),
    waiting: runs.filter((_, index) => waits[index] === true),
  };
}

/** How a turn ends whose calls wait. */
export function waitingResult(waiting: readonly ToolRun[], usage: Usage | undefined): TurnResult {
  const approvals = waiting.map(({ id, name, arguments: toolArguments }) => ({
    id,
    name,
    arguments: toolArguments,
  }));
  return { finishReason: "awaiting_approval", usage, approvals };
}
