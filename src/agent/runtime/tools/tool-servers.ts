import type { ToolConfig } from "../../../agent-config/agent-config.ts";
import { callHttpTool, type HttpToolContext } from "./http/http-tool-server.ts";
import type { ToolOutcome } from "./server/tool-outcome.ts";

/** Rejects only when the signal is aborted, with its reason. When something goes wrong in a tool, that is its outcome. */
export async function runTool(
  tool: ToolConfig,
  toolArguments: Readonly<Record<string, unknown>>,
  context: HttpToolContext,
): Promise<ToolOutcome> {
  switch (tool.type) {
    case "http":
      return callHttpTool(tool, toolArguments, context);
    case "grpc":
    case "mcp":
    case "openapi":
      return { error: `tools of type ${tool.type} cannot be called by this version of the agent` };
  }
}
