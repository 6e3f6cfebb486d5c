/** Decides who a client is, before the upgrade. Nobody gets in without such a decision. */
import type { IncomingMessage } from "node:http";

export interface Authenticator {
  /**
   * The subject that owns the sessions which this client begins. Undefined when the token is not valid. Rejects when that
   * could not be decided.
   */
  authenticate(token: string): Promise<string | undefined>;
}

const TOKEN_PROTOCOL = "bearer.";

/** The token of `Authorization: Bearer …`, of `X-API-Key: …`, or of the subprotocol `bearer.…`, which a browser can send. */
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
 * The subprotocol to answer with. A browser that offered some ends the connection when none is selected. One that holds no
 * token is preferred, since answers end up in logs.
 */
export function selectProtocol(offered: Iterable<string>): string | false {
  const protocols = [...offered];
  return (
    protocols.find((protocol) => !protocol.startsWith(TOKEN_PROTOCOL)) ?? protocols[0] ?? false
  );
}
