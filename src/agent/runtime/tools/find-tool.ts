import type { ToolConfig } from "../../../agent-config/agent-config.ts";

/** The tool that the model means. Packs and models may write `lookup_user` for `lookup-user` of a registry. */
export function findTool(tools: readonly ToolConfig[], name: string): ToolConfig | undefined {
  return (
    tools.find((tool) => tool.name === name) ??
    tools.find((tool) => underscored(tool.name) === underscored(name))
  );
}

function underscored(name: string): string {
  return name.replaceAll("-", "_");
}
