/** Who a client is. Decided before the upgrade; without a decision nobody gets in. */
import type { IncomingMessage } from "node:http";

export interface Authenticator {
  /**
   * The subject that owns the sessions which this client begins; undefined when the token is not good. Rejects when it
   * could not decide.
   */
  authenticate(token: string): Promise<string | undefined>;
}

const TOKEN_PROTOCOL = "bearer.";

/** `Authorization: Bearer …`, `X-API-Key: …`, or what a browser can send: the subprotocol `bearer.…`. */
export function tokenOf(request: Pick<IncomingMessage, "headers">): string | undefined {
  const { headers } = request;
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? "")?.[1];
  if (bearer !== undefined) return bearer;
  const apiKey = headers["x-api-key"];
  if (typeof apiKey === "string" && apiKey !== "") return apiKey;
  return (headers["sec-websocket-protocol"] ?? "")
    .split(",")
    .map((protocol) => protocol.trim())
    .find((protocol) => protocol.startsWith(TOKEN_PROTOCOL) && protocol !== TOKEN_PROTOCOL)
    ?.slice(TOKEN_PROTOCOL.length);
}

/**
 * The subprotocol to answer with. A browser that offered any ends the connection when none is selected; one that is no
 * token is preferred, for answers end up in logs.
 */
export function selectProtocol(offered: Iterable<string>): string | false {
  const protocols = [...offered];
  return (
    protocols.find((protocol) => !protocol.startsWith(TOKEN_PROTOCOL)) ?? protocols[0] ?? false
  );
}
