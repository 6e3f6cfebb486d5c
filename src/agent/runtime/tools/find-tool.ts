import type { ToolConfig } from "../../../agent-config/agent-config.ts";

/** The tool that the model means: packs and models write `lookup_user` for a registry's `lookup-user`. */
export function findTool(tools: readonly ToolConfig[], name: string): ToolConfig | undefined {
  return (
    tools.find((tool) => tool.name === name) ??
    tools.find((tool) => underscored(tool.name) === underscored(name))
  );
}

function underscored(name: string): string {
  return name.replaceAll("-", "_");
}
