/** Decides who may connect: everything about a handshake that can be decided without a replica. */
import type { IncomingMessage } from "node:http";
import { isOriginAllowed } from "../protocol/origin.ts";
import { readAgentAddress } from "./agent-address.ts";
import type { AgentReference, Route, WakeAgent } from "./choose-replica.ts";
import type { ClientAuthentication, KnownClient } from "./client-authentication.ts";
import type { GatewaySource } from "./gateway-source.ts";
import { hostOfRequest, type HostRule } from "./host-rule.ts";
import {
  HOST_NOT_ALLOWED,
  ORIGIN_NOT_ALLOWED,
  SHUTTING_DOWN,
  type GatewayRefusal,
} from "./refusal.ts";

export interface Admission {
  readonly source: GatewaySource;
  /** `undefined` before the gateway listens: then no host is its own. */
  readonly hosts: HostRule | undefined;
  /** Pages that may connect to every agent, besides those that an agent names. */
  readonly allowedOrigins: readonly string[];
  /** Whether whoever sent the request may hear which agents there are, and why one is not ready. */
  readonly mayHear: (request: IncomingMessage) => boolean;
  /** Undefined: agents alone ask who their clients are. */
  readonly authentication: ClientAuthentication | undefined;
  /** Asked again after each wait. */
  readonly isClosing: () => boolean;
  /** The number of connections that are open or about to be, without this one. */
  readonly connections: number;
  readonly maxConnections: number;
  /** Undefined: agents are not started for their clients. */
  readonly wake: WakeAgent | undefined;
  /** Aborts when the client has left. */
  readonly signal: AbortSignal;
}

export interface Admitted {
  readonly agent: AgentReference;
  readonly route: Extract<Route, { status: "ready" }>;
  /** What the agent is asked for. */
  readonly target: string;
  /** Undefined where the agent asks who the client is. */
  readonly client: KnownClient | undefined;
  /** Whether the gateway itself lets the page in that the client is, which the agent so need not judge. */
  readonly isPageOfGateway: boolean;
}

export function judgeHost(
  request: IncomingMessage,
  hosts: HostRule | undefined,
): GatewayRefusal | undefined {
  const host = hostOfRequest(request);
  const isPage = request.headers.origin !== undefined;
  if (host !== undefined && hosts?.isForPagesOnly === true && !isPage) return undefined;
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

export async function judgeUpgrade(
  request: IncomingMessage,
  admission: Admission,
): Promise<GatewayRefusal | Admitted> {
  const { source, hosts, allowedOrigins, authentication } = admission;
  const wrongHost = judgeHost(request, hosts);
  if (wrongHost !== undefined) return wrongHost;
  const address = readAgentAddress(request.url ?? "/");
  if ("code" in address) return address;
  if (request.method !== "GET") {
    return { code: "BadRequest", message: "a WebSocket handshake is a GET" };
  }
  const { agent, target } = address;
  const { name } = agent;
  const find = (): Route => (name === "" ? { status: "unknown" } : source.resolve(agent));
  const found = find();
  const ofAgent = found.status === "unknown" ? [] : found.allowedOrigins;
  const wrongOrigin = judgeOrigin(request, [...allowedOrigins, ...ofAgent], hosts);
  if (wrongOrigin !== undefined) return wrongOrigin;
  const isPageOfGateway =
    allowedOrigins.length > 0 && judgeOrigin(request, allowedOrigins, hosts) === undefined;
  const client = await authentication?.identify(request, agent, admission.signal);
  if (client !== undefined && "code" in client) return client;
  // Which agents there are, and why one is not ready, is for those who may hear what runs.
  const mayHear = admission.mayHear(request);
  const agents = mayHear ? source.agents() : undefined;
  if (name === "") {
    return {
      code: "AgentRequired",
      message: "say which agent: /ws?agent=NAME&namespace=NAMESPACE",
      agents: agents?.map(shownName),
    };
  }
  // It may have changed while the client was asked who it is.
  let route = authentication === undefined ? found : find();
  if (isStartable(route, admission)) route = await admission.wake(agent, admission.signal);
  if (route.status === "unknown") {
    return {
      code: "AgentNotFound",
      message: `there is no agent ${agent.name} in namespace ${agent.namespace}${otherNamespace(agents ?? [], name)}`,
      agents: agents?.map(shownName),
    };
  }
  if (admission.isClosing()) return SHUTTING_DOWN;
  if (route.status === "unavailable") {
    const isForAnybody = route.isForAnybody === true || client !== undefined;
    const message = mayHear || isForAnybody ? route.reason : "the agent is not ready";
    return { code: "AgentNotReady", message };
  }
  if (isFull(admission)) {
    return {
      code: "TooManyConnections",
      message: "the gateway has as many connections as it takes",
    };
  }
  return { agent, route, target, client, isPageOfGateway };
}

/** Whether there is room for the client, and the agent can be started for it. */
function isStartable(
  route: Route,
  admission: Admission,
): admission is Admission & { readonly wake: WakeAgent } {
  if (route.status !== "unavailable" || route.startsOnDemand !== true) return false;
  return admission.wake !== undefined && !admission.isClosing() && !isFull(admission);
}

function isFull({ connections, maxConnections }: Admission): boolean {
  return connections >= maxConnections;
}

function shownName({ name, namespace }: AgentReference): string {
  return `${namespace}/${name}`;
}

/** Helps with the most common mistake: the agent exists, but in another namespace than the one that was named. */
function otherNamespace(agents: readonly AgentReference[], name: string): string {
  const other = agents.find((agent) => agent.name === name);
  return other === undefined ? "" : `; did you mean namespace=${other.namespace}?`;
}
