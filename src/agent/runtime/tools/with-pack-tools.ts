import { findTool } from "./find-tool.ts";
import type { OfferedTool } from "./offered-tool.ts";

/** Adds the tools of the pack to those of the registry, none of which may take the name of one of them. */
export function withPackTools(
  registryTools: readonly OfferedTool[],
  packTools: readonly OfferedTool[],
): readonly OfferedTool[] {
  if (packTools.length === 0) return registryTools;
  const others = registryTools.filter(({ name }) => findTool(packTools, name) === undefined);
  return [...others, ...packTools];
}
