import type { ToolConfig } from "../../agent-config/agent-config.ts";
import type { ListedTool } from "./tool-server.ts";

/** The tools of a server that its entry offers: those that `allow` names, if it names any, without those that `block` names. */
export function chosenTools<Tool extends Pick<ListedTool, "name">>(
  tools: readonly Tool[],
  { registryName, allow, block = [] }: Pick<ToolConfig, "registryName" | "allow" | "block">,
): readonly Tool[] {
  if (allow === undefined && block.length === 0) return tools;
  const exact = new Set(tools.map(({ name }) => name));
  return tools.filter(({ name }) => {
    const isNamed = (written: string): boolean =>
      written === name ||
      // What is no name of another tool may be written as models and packs write names.
      (!exact.has(written) &&
        [name, `${registryName}_${name}`].some((own) => underscored(own) === underscored(written)));
    return (allow?.some(isNamed) ?? true) && !block.some(isNamed);
  });
}

function underscored(name: string): string {
  return name.replaceAll("-", "_");
}
