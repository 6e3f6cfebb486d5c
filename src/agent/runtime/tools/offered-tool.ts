import type { LanguageModelV4FunctionTool } from "@ai-sdk/provider";
import type { ToolConfig } from "../../../agent-config/agent-config.ts";
import { forModel, type ModelSchema } from "./schema/for-model.ts";
import { offeredNames } from "./offered-names.ts";
import type { ListedTool, ToolServer } from "../../../tool-servers/server/tool-server.ts";
import type { ToolServers } from "../../../tool-servers/tool-servers.ts";

/** A tool as a turn offers it to the model, with the server that runs it. */
export interface OfferedTool extends ListedTool {
  /** The name that the model is told. */
  readonly name: string;
  /** The name under which the server is called. */
  readonly calledName: string;
  readonly server: ToolServer;
  readonly timeoutMs: number;
  /** Whether the schema is that of the server, by which it judges arguments itself. */
  readonly isJudgedByServer: boolean;
  /** Whether the user is asked before a call. */
  readonly approval?: ToolConfig["approval"] | undefined;
}

/** Asks the servers of the tools what they have. Rejects only when the signal is aborted. */
export async function offerTools(
  tools: readonly ToolConfig[],
  servers: ToolServers,
  signal: AbortSignal,
): Promise<OfferedTool[]> {
  const lists = await Promise.all(
    tools.map(async (tool) => {
      const server = servers.of(tool);
      const listed = await server.list(signal);
      return listed.map((each) => ({ tool, server, each }));
    }),
  );
  const all = lists.flat();
  const names = offeredNames(
    all.map(({ tool: { type, registryName }, each: { name } }) => ({
      name,
      registryName,
      isFixed: type === "http",
    })),
  );
  return all.map(({ tool, server, each }, index) => ({
    ...each,
    name: names[index] ?? each.name,
    calledName: each.name,
    server,
    timeoutMs: tool.timeoutMs,
    isJudgedByServer: tool.type !== "http",
    approval: tool.approval,
  }));
}

/** By schema as its author wrote it, which lives as long as the server that listed it. */
const modelSchemas = new WeakMap<object, ModelSchema>();

/** The tools as they are described to the model. */
export function functionTools(tools: readonly ListedTool[]): LanguageModelV4FunctionTool[] {
  return tools.map(({ name, description, inputSchema }) => ({
    type: "function",
    name,
    description,
    inputSchema: modelSchemaOf(inputSchema),
  }));
}

function modelSchemaOf(inputSchema: ListedTool["inputSchema"]): ModelSchema {
  const made = modelSchemas.get(inputSchema) ?? forModel(inputSchema);
  modelSchemas.set(inputSchema, made);
  return made;
}
