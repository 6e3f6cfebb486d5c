import type { Finding } from "../condition.ts";
import type { ToolProblem } from "./resolve-tools.ts";
import { describeToolProblems } from "./all-tools-ready.ts";

/** Finds whether at least one tool can be called. */
export function toolsAvailable(
  available: number,
  problems: readonly ToolProblem[],
): Finding<"ToolRegistry", "ToolsAvailable"> {
  const type = "ToolsAvailable";
  if (available > 0) {
    const message = `${available} tool${available === 1 ? "" : "s"} can be called`;
    return { type, reason: "ToolsFound", message };
  }
  const reason = problems[0]?.reason ?? "NoServices";
  return { type, reason, message: `No tool can be called. ${describeToolProblems(problems)}` };
}
