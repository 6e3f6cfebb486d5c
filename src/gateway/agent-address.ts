/**
 * Reads which agent a handshake is for: from the query (`/ws?agent=NAME&namespace=NAMESPACE`) or from the path
 * (`/agents/NAMESPACE/NAME/ws`). Both may name it, as long as they agree.
 */
import { WEBSOCKET_PATHS } from "../protocol/websocket-paths.ts";
import type { AgentReference } from "./choose-replica.ts";
import type { GatewayRefusal } from "./refusal.ts";
import { DEFAULT_NAMESPACE, readTarget } from "./upgrade-request.ts";

export interface AgentAddress {
  /** The name is empty when the request names no agent. */
  readonly agent: AgentReference;
  /** What the agent is asked for: one of its own paths, with a query that names it. */
  readonly target: string;
}

/** Names of agents and namespaces are DNS names, so nothing in such a path is ever encoded. */
const AGENT_PATH = /^\/agents\/([a-z0-9][a-z0-9.-]*)\/([a-z0-9][a-z0-9.-]*)(\/(?:ws)?)$/;

export function readAgentAddress(requestTarget: string): AgentAddress | GatewayRefusal {
  const { path, query, search } = readTarget(requestTarget);
  const named = AGENT_PATH.exec(path);
  if (named === null && !WEBSOCKET_PATHS.includes(path)) {
    return {
      code: "NotFound",
      message: "WebSocket connections are taken at /, /ws and /agents/NAMESPACE/NAME/ws",
    };
  }
  const [, pathNamespace, pathName, agentPath = path] = named ?? [];
  for (const [parameter, inPath] of [
    ["agent", pathName],
    ["namespace", pathNamespace],
  ] as const) {
    const values = new Set([inPath, ...query.getAll(parameter)].filter((value) => value));
    if (values.size > 1) {
      const message =
        inPath === undefined
          ? `the query names more than one ${parameter}`
          : `the path and the query name different ${parameter}s`;
      return { code: "BadRequest", message };
    }
  }
  const name = pathName ?? firstOf(query, "agent") ?? "";
  const namespace = pathNamespace ?? firstOf(query, "namespace") ?? DEFAULT_NAMESPACE;
  if (named === null) return { agent: { name, namespace }, target: path + search };
  const added = new URLSearchParams();
  if (firstOf(query, "agent") === undefined) added.set("agent", name);
  if (firstOf(query, "namespace") === undefined) added.set("namespace", namespace);
  const parts = [added.toString(), search.slice(1)].filter((part) => part !== "");
  return { agent: { name, namespace }, target: `${agentPath}?${parts.join("&")}` };
}

function firstOf(query: URLSearchParams, parameter: string): string | undefined {
  return query.getAll(parameter).find((value) => value !== "");
}
