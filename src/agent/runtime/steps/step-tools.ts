import type { StepTools, ToolsEndpoint } from "../../tools-endpoint/tools-endpoint.ts";
import type { OfferedTool } from "../tools/offered-tool.ts";
import { toolsForClients } from "../tools/tools-for-clients.ts";
import type { StepRequest } from "./step-source.ts";

export interface StepToolsOptions {
  readonly tools: readonly OfferedTool[];
  /** Serves the tools as MCP, where the runtime can reach it. */
  readonly toolsEndpoint: ToolsEndpoint | undefined;
}

/** Serves the tools while the step runs, as calls of its turn. */
export function openStepTools(
  { tools, toolsEndpoint }: StepToolsOptions,
  { boundCalls }: Pick<StepRequest, "boundCalls">,
): StepTools | undefined {
  return toolsEndpoint?.open({
    list: () => Promise.resolve(toolsForClients(tools)),
    call: (name, input) => boundCalls.call(name, input),
  });
}
