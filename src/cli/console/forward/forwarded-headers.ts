/** The headers with which a request of the page goes on to the gateway. */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { CONNECTION_HEADERS } from "../../../gateway/connection-headers.ts";

/** A subprotocol that begins so has a token behind it. */
const TOKEN_PROTOCOL = "bearer.";
const OF_CONNECTION = new Set(CONNECTION_HEADERS);

export function isOfConnection(name: string): boolean {
  return OF_CONNECTION.has(name.toLowerCase());
}

/** What the page proves itself with: its bearer token, or that of a WebSocket, which comes as a subprotocol. */
export function proofOf(headers: IncomingHttpHeaders): string | undefined {
  const bearer = /^bearer +(\S+) *$/i.exec(headers.authorization ?? "")?.[1];
  return bearer ?? protocolsOf(headers).find(isToken)?.slice(TOKEN_PROTOCOL.length);
}

/**
 * `token` takes the place of what the page proves itself with. Undefined: what it brings is a token that a person has pasted, and goes on as it is.
 */
export function forwardedHeaders(
  headers: IncomingHttpHeaders,
  token: string | undefined,
): OutgoingHttpHeaders {
  const forwarded: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !isOfConnection(name)) forwarded[name] = value;
  }
  if (token === undefined) return forwarded;
  forwarded["authorization"] = `Bearer ${token}`;
  const protocols = protocolsOf(headers).filter((each) => !isToken(each));
  if (protocols.length > 0) forwarded["sec-websocket-protocol"] = protocols.join(", ");
  else delete forwarded["sec-websocket-protocol"];
  return forwarded;
}

function protocolsOf(headers: IncomingHttpHeaders): readonly string[] {
  return (headers["sec-websocket-protocol"] ?? "").split(",").map((each) => each.trim());
}

function isToken(protocol: string): boolean {
  return protocol.startsWith(TOKEN_PROTOCOL);
}
