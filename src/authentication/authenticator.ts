/** Decides who a client is, before the upgrade and as long as it is connected. Nobody gets in without such a decision. */
import type { IncomingMessage } from "node:http";
import type { Credential } from "./credential.ts";

export interface Authenticator {
  /** Answers undefined when the token is not valid. Rejects when that could not be decided. */
  authenticate(token: string): Promise<Credential | undefined>;
  /**
   * Finds out what is valid now, and answers whether a credential still is. A credential may be of another authenticator, which
   * the config asked for before. A credential stays valid while it cannot be found out whether it is.
   */
  review(): Promise<(credential: Credential) => boolean>;
}

/** A subprotocol that begins so has a token behind it. */
export const TOKEN_PROTOCOL = "bearer.";

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
