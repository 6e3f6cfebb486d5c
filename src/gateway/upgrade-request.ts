/** What the gateway reads from a WebSocket handshake, and what it sends on. */
import type { IncomingMessage } from "node:http";

export const DEFAULT_NAMESPACE = "default";

/** The headers that are meant for one connection only (RFC 9110, section 7.6.1), and those that the gateway writes itself. */
const NOT_FORWARDED = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "content-length",
  "upgrade",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
]);

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
export function readTarget(given: string): { path: string; query: URLSearchParams } {
  const target = originForm(given);
  const questionMark = target.indexOf("?");
  if (questionMark === -1) return { path: target, query: new URLSearchParams() };
  return {
    path: target.slice(0, questionMark),
    query: new URLSearchParams(target.slice(questionMark + 1)),
  };
}

/** The address of the client, as logs and `X-Forwarded-For` show it. */
export function clientAddress(request: IncomingMessage): string {
  return (request.socket.remoteAddress ?? "unknown").replace(/^::ffff:/, "");
}

/**
 * Returns the head of the request for the replica. Host, Origin, Authorization, cookies and all of the WebSocket handshake are
 * passed on, because the agent judges them. Only the gateway's own token is not: `withoutToken` returns what is left of a header.
 */
export function forwardedHead(
  request: IncomingMessage,
  withoutToken: (name: string, value: string) => string | undefined,
): string {
  const named = (request.headers.connection ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");
  const dropped = new Set([...NOT_FORWARDED, ...named]);
  // A client must not be able to keep these from the agent by naming them in Connection.
  for (const kept of ["host", "origin", "authorization"]) dropped.delete(kept);

  const lines = [`${request.method ?? "GET"} ${originForm(request.url ?? "/")} HTTP/1.1`];
  const { rawHeaders } = request;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    if (dropped.has(name.toLowerCase())) continue;
    const value = withoutToken(name, rawHeaders[index + 1] as string);
    if (value !== undefined) lines.push(`${name}: ${value}`);
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
