import type { OmniaKind } from "../../api/group.ts";

const OVERVIEW = "troubleshooting/";

/**
 * The path of the page about a reason, below the documentation, such as `reference/conditions/agentruntime/available/podsfailing/`.
 * Without a condition it is that of the page about all that may be wrong.
 */
export function reasonPage(
  kind: OmniaKind,
  condition: { readonly type: string; readonly reason: string } | undefined,
): string {
  if (condition === undefined) return OVERVIEW;
  const { type, reason } = condition;
  return `reference/conditions/${[kind, type, reason].join("/").toLowerCase()}/`;
}
