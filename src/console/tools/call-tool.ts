/** Calls a tool as an agent would, and says how a program does the same. */
import { API_PREFIX, WRITE_HEADER } from "../../http-api/paths.ts";
import type { ToolCallAnswer } from "../../http-api/tool-views.ts";
import { apiPath, writeApi } from "../api/api-client.ts";
import { shellQuoted } from "../parts/shell-quoted.ts";

export interface ToolCall {
  /** As `namespace/name`. */
  readonly agent: string;
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

export function callTool(call: ToolCall, signal: AbortSignal): Promise<ToolCallAnswer> {
  return writeApi<ToolCallAnswer>(pathOf(call), {
    method: "POST",
    body: { arguments: call.arguments },
    signal,
  });
}

/** The same call for a shell. A token is never in it: it comes from a variable. */
export function curlCommand(call: ToolCall, origin: string, hasToken: boolean): string {
  const lines = [
    `curl -X POST ${shellQuoted(`${origin}${API_PREFIX}${pathOf(call)}`)}`,
    `-H ${shellQuoted("content-type: application/json")}`,
    `-H ${shellQuoted(`${WRITE_HEADER}: curl`)}`,
    ...(hasToken ? ['-H "authorization: Bearer $OMNIA_TOKEN"'] : []),
    `-d ${shellQuoted(JSON.stringify({ arguments: call.arguments }))}`,
  ];
  return lines.join(" \\\n  ");
}

function pathOf({ agent, tool }: ToolCall): string {
  const [namespace = "", name = ""] = agent.split("/");
  return apiPath("agents", namespace, name, "tools", tool, "call");
}
