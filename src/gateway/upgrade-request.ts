/** What the gateway reads from a WebSocket handshake, and what it sends on. */
import type { IncomingMessage } from "node:http";
import { GATEWAY_TOKEN_HEADER } from "../agent-config/gateway-token.ts";
import { selectProtocol, TOKEN_PROTOCOL } from "../authentication/authenticator.ts";
import { CONNECTION_HEADERS } from "./connection-headers.ts";

export const DEFAULT_NAMESPACE = "default";

/** Besides those of the connection, the ones that the gateway writes itself. */
const NOT_FORWARDED = new Set([
  ...CONNECTION_HEADERS,
  "content-length",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  GATEWAY_TOKEN_HEADER,
]);

/** The headers in which a client says who it is, or may. Subprotocols with a token are replaced one by one. */
const CREDENTIALS = ["authorization", "x-api-key", "cookie", "sec-websocket-protocol"];

const TRACE_HEADERS = ["traceparent", "tracestate"];

export function isWebSocketUpgrade(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === "websocket";
}

/** Returns the target without scheme and host, which a client may put before the path. */
function originForm(target: string): string {
  const absolute = /^https?:\/\/[^/?#]*(.*)$/is.exec(target);
  if (absolute === null) return target;
  const [, rest = ""] = absolute;
  return rest.startsWith("/") ? rest : `/${rest}`;
}

/** Splits a request target into path and query. `URL` would not do, since a target such as `//name` must stay a path. */
export function readTarget(given: string): {
  path: string;
  /** As it stands, with its question mark. Empty when there is none. */
  search: string;
  query: URLSearchParams;
} {
  const target = originForm(given);
  const questionMark = target.indexOf("?");
  if (questionMark === -1) return { path: target, search: "", query: new URLSearchParams() };
  const search = target.slice(questionMark);
  return { path: target.slice(0, questionMark), search, query: new URLSearchParams(search) };
}

/** The address of the client, as logs and `X-Forwarded-For` show it. */
export function clientAddress(request: IncomingMessage): string {
  return (request.socket.remoteAddress ?? "unknown").replace(/^::ffff:/, "");
}

/**
 * By what a client is told from others, so that it comes to the same replica again. A proxy says in X-Forwarded-For whom it speaks for;
 * a client that says something false there only chooses its replica.
 */
export function affinityKey(request: IncomingMessage): string {
  const forwarded = request.headers["x-forwarded-for"];
  const first = typeof forwarded === "string" ? forwarded.split(",")[0]?.trim() : undefined;
  return first === undefined || first === "" ? clientAddress(request) : first;
}

const SESSION_ID = /^[\w.:~-]{1,256}$/;

/** The session that a client is about to go on with, where its address names one. */
export function namedSession(target: string): string | undefined {
  const named = readTarget(target).query.get("session_id");
  return named !== null && SESSION_ID.test(named) ? named : undefined;
}

export interface Forwarding {
  readonly target: string;
  /** Returns what is left of a header for the agent. Nothing left is `undefined`. */
  readonly withoutToken: (name: string, value: string) => string | undefined;
  /** The gateway knows the client, and proves it by this token, in place of what the client brought. */
  readonly gatewayToken?: string | undefined;
  /** Take the place of the headers in which the client named its trace. */
  readonly traceHeaders?: Readonly<Record<string, string>> | undefined;
  /** The agent is not told which page the client is. */
  readonly withoutOrigin?: boolean | undefined;
}

/**
 * Returns the head of the request for the replica. Host, Origin, Authorization, cookies and all of the WebSocket handshake are
 * passed on, because the agent judges them, but for what the gateway has judged itself.
 */
export function forwardedHead(request: IncomingMessage, forwarding: Forwarding): string {
  const { target, withoutToken, gatewayToken, traceHeaders, withoutOrigin } = forwarding;
  const named = (request.headers.connection ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");
  const dropped = new Set([...NOT_FORWARDED, ...named]);
  // A client must not be able to keep these from the agent by naming them in Connection.
  for (const kept of ["host", "origin", "authorization", "x-api-key"]) dropped.delete(kept);
  if (gatewayToken !== undefined) for (const name of CREDENTIALS) dropped.add(name);
  if (withoutOrigin === true) dropped.add("origin");
  if (traceHeaders !== undefined) for (const name of TRACE_HEADERS) dropped.add(name);

  const lines = [`${request.method ?? "GET"} ${target} HTTP/1.1`];
  const { rawHeaders } = request;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    if (dropped.has(name.toLowerCase())) continue;
    const value = withoutToken(name, rawHeaders[index + 1] as string);
    if (value !== undefined) lines.push(`${name}: ${value}`);
  }
  for (const [name, value] of Object.entries(traceHeaders ?? {})) lines.push(`${name}: ${value}`);
  if (gatewayToken !== undefined) {
    lines.push(`${GATEWAY_TOKEN_HEADER}: ${gatewayToken}`);
    const protocols = offeredProtocols(request).filter((one) => !one.startsWith(TOKEN_PROTOCOL));
    if (protocols.length > 0) lines.push(`Sec-WebSocket-Protocol: ${protocols.join(", ")}`);
  }
  const before = request.headers["x-forwarded-for"];
  const hops = [
    ...(typeof before === "string" && before !== "" ? [before] : []),
    clientAddress(request),
  ];
  lines.push(`X-Forwarded-For: ${hops.join(", ")}`);
  if (request.headers.host !== undefined) lines.push(`X-Forwarded-Host: ${request.headers.host}`);
  lines.push("X-Forwarded-Proto: http", "Connection: Upgrade", "Upgrade: websocket");
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/**
 * The subprotocol that the client has to be answered with when the agent did not see the one with its token: a browser that offered
 * some ends the connection when none is selected. Undefined when the agent was offered others, and selects.
 */
export function ownProtocol(request: IncomingMessage): string | undefined {
  const selected = selectProtocol(offeredProtocols(request));
  return selected !== false && selected.startsWith(TOKEN_PROTOCOL) ? selected : undefined;
}

function offeredProtocols({ headers }: IncomingMessage): string[] {
  return (headers["sec-websocket-protocol"] ?? "")
    .split(",")
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol !== "");
}
