import type { Finding } from "../condition.ts";
import type { ToolProblem } from "./resolve-tools.ts";

const MAX_LISTED_TOOLS = 5;

/** Finds whether every tool can be called. */
export function allToolsReady(
  available: number,
  problems: readonly ToolProblem[],
): Finding<"ToolRegistry", "AllToolsReady"> {
  const type = "AllToolsReady";
  if (problems.length === 0 && available > 0) {
    return { type, reason: "AllReady", message: "Every tool can be called" };
  }
  const reason = problems[0]?.reason ?? "NoServices";
  return { type, reason, message: describeToolProblems(problems) };
}

export function describeToolProblems(problems: readonly ToolProblem[]): string {
  if (problems.length === 0) return "The registry lists no tools; add one to spec.tools";
  const listed = problems
    .slice(0, MAX_LISTED_TOOLS)
    .map(({ tool, message }) => `Tool "${tool}": ${message}`);
  const more = problems.length - listed.length;
  return listed.join(". ") + (more > 0 ? `. And ${more} more` : "");
}
