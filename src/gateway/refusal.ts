/** What the gateway answers when it does not pass a request on. */
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";

export const REFUSALS = {
  AgentRequired: 400,
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  HostNotAllowed: 403,
  OriginNotAllowed: 403,
  AgentNotFound: 404,
  NotFound: 404,
  MethodNotAllowed: 405,
  UpgradeRequired: 426,
  ReplicaFailed: 502,
  AgentNotReady: 503,
  TooManyConnections: 503,
  ShuttingDown: 503,
  AuthenticationUnavailable: 503,
  ReplicaTimeout: 504,
} as const satisfies Record<string, number>;

/** How long a client should wait before it comes back, where waiting helps. */
const RETRY_AFTER_SECONDS = 5;

export interface GatewayRefusal {
  readonly code: keyof typeof REFUSALS;
  readonly message: string;
  /** The agents that there are, as `namespace/name`, when naming them helps. */
  readonly agents?: readonly string[] | undefined;
}

export const HOST_NOT_ALLOWED: GatewayRefusal = {
  code: "HostNotAllowed",
  message:
    "this gateway does not answer to the host that the request names; omnia up --allowed-host NAME lets it (gateway.allowedHosts of the chart in a cluster), and --host ADDRESS listens elsewhere than on localhost",
};

export const ORIGIN_NOT_ALLOWED: GatewayRefusal = {
  code: "OriginNotAllowed",
  message:
    "pages of this origin may not connect; the agent's spec.facade.allowedOrigins can name it, or for all agents of a cluster --allowed-origin of omnia gateway (gateway.allowedOrigins of the chart)",
};

/** The pages and the API of a gateway are for its own pages. */
export const ORIGIN_NOT_OF_GATEWAY: GatewayRefusal = {
  code: "OriginNotAllowed",
  message:
    "pages of this origin may not ask this gateway, which answers its own pages alone; the allowedOrigins of agents and of the gateway are for WebSocket connections",
};

export const SHUTTING_DOWN: GatewayRefusal = {
  code: "ShuttingDown",
  message: "the gateway is shutting down",
};

export const UNAUTHORIZED: GatewayRefusal = {
  code: "Unauthorized",
  message:
    "this wants the token that omnia up printed at its start: open the address with /#token=TOKEN in a browser, or send Authorization: Bearer TOKEN",
};

export function refusalStatus(refusal: GatewayRefusal): (typeof REFUSALS)[keyof typeof REFUSALS] {
  return REFUSALS[refusal.code];
}

export function refusalBody({ code, message, agents }: GatewayRefusal): object {
  return { error: { code, message, agents } };
}

export function refusalHeaders(refusal: GatewayRefusal): Record<string, string> {
  const status = refusalStatus(refusal);
  if (status === 503) return { "retry-after": String(RETRY_AFTER_SECONDS) };
  if (status === 401) return { "www-authenticate": "Bearer" };
  if (status === 405) return { allow: "GET, HEAD" };
  if (status === 426) return { upgrade: "websocket" };
  return {};
}

/** Answers a handshake on its raw socket, and ends the socket. */
export function refuseUpgrade(socket: Duplex, refusal: GatewayRefusal): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const status = refusalStatus(refusal);
  const body = JSON.stringify(refusalBody(refusal));
  const headers = {
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    connection: "close",
    ...refusalHeaders(refusal),
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${head.join("\r\n")}\r\n\r\n${body}`,
  );
  // The client may go on sending. What it sends is thrown away so that the socket can close.
  socket.resume();
}
