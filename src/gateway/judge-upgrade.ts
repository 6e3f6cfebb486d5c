/** Decides who may connect: everything about a handshake that can be decided without a replica. */
import type { IncomingMessage } from "node:http";
import { isOriginAllowed } from "../protocol/origin.ts";
import { WEBSOCKET_PATHS } from "../protocol/websocket-paths.ts";
import type { Access } from "./access.ts";
import type { AgentReference, Route } from "./choose-replica.ts";
import type { GatewaySource } from "./gateway-source.ts";
import { hostOfRequest, type HostRule } from "./host-rule.ts";
import { HOST_NOT_ALLOWED, ORIGIN_NOT_ALLOWED, type GatewayRefusal } from "./refusal.ts";
import { DEFAULT_NAMESPACE, readTarget } from "./upgrade-request.ts";

interface Admission {
  readonly source: GatewaySource;
  /** `undefined` before the gateway listens: then no host is its own. */
  readonly hosts: HostRule | undefined;
  /** `undefined`: everybody who reaches the gateway may hear what runs. */
  readonly access: Access | undefined;
  readonly isClosing: boolean;
  /** The number of open connections, without this one. */
  readonly connections: number;
  readonly maxConnections: number;
}

interface Admitted {
  readonly agent: AgentReference;
  readonly route: Extract<Route, { status: "ready" }>;
}

export function judgeHost(
  request: IncomingMessage,
  hosts: HostRule | undefined,
): GatewayRefusal | undefined {
  const host = hostOfRequest(request);
  const isAllowed = host !== undefined && hosts?.allows(host) === true;
  return isAllowed ? undefined : HOST_NOT_ALLOWED;
}

export function judgeOrigin(
  { headers: { host, origin } }: IncomingMessage,
  allowedOrigins: readonly string[],
  hosts: HostRule | undefined,
): GatewayRefusal | undefined {
  const isLocal = hosts?.isLoopback === true;
  return isOriginAllowed({ origin, host }, { allowedOrigins, isLocal })
    ? undefined
    : ORIGIN_NOT_ALLOWED;
}

export function judgeUpgrade(
  request: IncomingMessage,
  { source, hosts, access, isClosing, connections, maxConnections }: Admission,
): GatewayRefusal | Admitted {
  const wrongHost = judgeHost(request, hosts);
  if (wrongHost !== undefined) return wrongHost;
  const { path, query } = readTarget(request.url ?? "/");
  if (!WEBSOCKET_PATHS.includes(path)) {
    return { code: "NotFound", message: "WebSocket connections are taken at / and /ws" };
  }
  const name = query.get("agent") ?? "";
  const agent = { name, namespace: query.get("namespace") || DEFAULT_NAMESPACE };
  const route: Route = name === "" ? { status: "unknown" } : source.resolve(agent);
  const allowedOrigins = route.status === "unknown" ? [] : route.allowedOrigins;
  const wrongOrigin = judgeOrigin(request, allowedOrigins, hosts);
  if (wrongOrigin !== undefined) return wrongOrigin;
  // Which agents there are, and why one is not ready, is for those who may hear what runs.
  const agents = (access?.isGrantedTo(request) ?? true) ? source.agents() : undefined;
  if (name === "") {
    return {
      code: "AgentRequired",
      message: "say which agent: /ws?agent=NAME&namespace=NAMESPACE",
      agents: agents?.map(shownName),
    };
  }
  if (route.status === "unknown") {
    return {
      code: "AgentNotFound",
      message: `there is no agent ${agent.name} in namespace ${agent.namespace}${otherNamespace(agents ?? [], name)}`,
      agents: agents?.map(shownName),
    };
  }
  if (isClosing) return { code: "ShuttingDown", message: "the gateway is shutting down" };
  if (route.status === "unavailable") {
    const message = agents === undefined ? "the agent is not ready" : route.reason;
    return { code: "AgentNotReady", message };
  }
  if (connections >= maxConnections) {
    return {
      code: "TooManyConnections",
      message: "the gateway has as many connections as it takes",
    };
  }
  return { agent, route };
}

function shownName({ name, namespace }: AgentReference): string {
  return `${namespace}/${name}`;
}

/** Helps with the most common mistake: the agent exists, but in another namespace than the one that was named. */
function otherNamespace(agents: readonly AgentReference[], name: string): string {
  const other = agents.find((agent) => agent.name === name);
  return other === undefined ? "" : `; did you mean namespace=${other.namespace}?`;
}
