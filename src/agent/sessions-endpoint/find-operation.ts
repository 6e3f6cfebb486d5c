/** Which operation of the HTTP API a request asks for, and what its caller has to be allowed for it. */
import type { GatewayVerb } from "../../agent-config/gateway-token.ts";
import { API_PREFIX } from "../../http-api/paths.ts";
import { isSessionId } from "../sessions/session-id.ts";

export type Operation =
  | { readonly type: "list-sessions" }
  | { readonly type: "read-session"; readonly sessionId: string }
  | { readonly type: "delete-session"; readonly sessionId: string }
  | { readonly type: "fork-session"; readonly sessionId: string }
  | { readonly type: "call-tool"; readonly tool: string }
  | { readonly type: "describe-replica" };

const VERBS: Readonly<Record<Operation["type"], GatewayVerb>> = {
  "list-sessions": "sessions:get",
  "read-session": "sessions:get",
  "delete-session": "sessions:delete",
  "fork-session": "sessions:create",
  "call-tool": "toolcalls:create",
  "describe-replica": "replica:get",
};

export function verbOf(operation: Operation): GatewayVerb {
  return VERBS[operation.type];
}

/** By method. There are none at a path that is not there. */
export function operationsAt(path: string): ReadonlyMap<string, Operation> {
  const segments = readSegments(path);
  if (segments === undefined) return new Map();
  const [collection = "", name, action, ...rest] = segments;
  if (rest.length > 0) return new Map();
  switch (collection) {
    case "sessions":
      if (name === undefined) return new Map([["GET", { type: "list-sessions" }]]);
      return isSessionId(name) ? operationsOnSession(name, action) : new Map();
    case "tools":
      return name !== undefined && name !== "" && action === "call"
        ? new Map([["POST", { type: "call-tool", tool: name }]])
        : new Map();
    case "replica":
      return name === undefined ? new Map([["GET", { type: "describe-replica" }]]) : new Map();
    default:
      return new Map();
  }
}

function operationsOnSession(
  sessionId: string,
  action: string | undefined,
): ReadonlyMap<string, Operation> {
  if (action === undefined) {
    return new Map<string, Operation>([
      ["GET", { type: "read-session", sessionId }],
      ["DELETE", { type: "delete-session", sessionId }],
    ]);
  }
  return action === "fork" ? new Map([["POST", { type: "fork-session", sessionId }]]) : new Map();
}

/** What follows the prefix. Undefined when the path is not below it, or is not encoded well. */
function readSegments(path: string): string[] | undefined {
  if (!path.startsWith(`${API_PREFIX}/`)) return undefined;
  const segments = path.slice(API_PREFIX.length + 1).split("/");
  try {
    return segments.map((segment) => decodeURIComponent(segment));
  } catch {
    return undefined;
  }
}
