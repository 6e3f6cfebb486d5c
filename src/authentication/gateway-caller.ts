/** Who asks, where a gateway proves it: the caller of a request to the HTTP API, or the client of a connection. */
import type { IncomingMessage } from "node:http";
import type { AgentConfig } from "../agent-config/agent-config.ts";
import {
  GATEWAY_TOKEN_HEADER,
  type GatewayTokenVerdict,
  verifyGatewayToken,
} from "../agent-config/gateway-token.ts";
import type { GatewayCredential } from "./credential.ts";

/** Undefined when the request has no gateway's token. `now` is in milliseconds since 1970. */
export function judgeGatewayCaller(
  { headers }: Pick<IncomingMessage, "headers">,
  { agent, gateway }: Pick<AgentConfig, "agent" | "gateway">,
  now: number,
): GatewayTokenVerdict | undefined {
  const token = headers[GATEWAY_TOKEN_HEADER];
  if (token === undefined) return undefined;
  return verifyGatewayToken(String(token), {
    publicKeys: gateway?.publicKeys ?? [],
    agent: `${agent.namespace}/${agent.name}`,
    now,
  });
}

/** A client that the gateway calls so is another one than a client of the agent's own authentication that goes by the same name. */
export function subjectOfGateway(caller: string): string {
  return `gateway:${JSON.stringify(caller)}`;
}

/** What a connection is let in with. Undefined where the gateway does not say who the caller is. */
export function gatewayCredential({
  subject: caller,
  publicKey,
  subjectEndsAt,
}: Extract<GatewayTokenVerdict, { ok: true }>["caller"]): GatewayCredential | undefined {
  if (caller === undefined) return undefined;
  const subject = subjectOfGateway(caller);
  return { kind: "gateway", subject, caller, publicKey, endsAt: subjectEndsAt };
}
