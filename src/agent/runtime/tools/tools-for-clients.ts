import type { ListedTool } from "../../../tool-servers/server/tool-server.ts";
import type { ToolForClients } from "../../tools-endpoint/mcp-reply.ts";
import { functionTools } from "./offered-tool.ts";

/** The tools as a client of MCP is told of them. Their schemas are such that every model takes them. */
export function toolsForClients(tools: readonly ListedTool[]): ToolForClients[] {
  return functionTools(tools).map(({ name, description, inputSchema }) => ({
    name,
    description,
    inputSchema,
  }));
}
