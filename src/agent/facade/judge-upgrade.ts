/** Decides who may connect: everything that is checked before a request becomes a WebSocket. */
import type { IncomingMessage } from "node:http";
import type { AgentConfig } from "../../agent-config/agent-config.ts";
import type { Log } from "../../observability/log.ts";
import { tokenOf, type Authenticator } from "../../authentication/authenticator.ts";
import type { Credential } from "../../authentication/credential.ts";
import { gatewayCredential, judgeGatewayCaller } from "../../authentication/gateway-caller.ts";
import { isHostTrusted, isOriginAllowed } from "../../protocol/origin.ts";
import { WEBSOCKET_PATHS } from "../../protocol/websocket-paths.ts";
import { NOT_FOUND, type FacadeRefusal } from "./refusal.ts";

export interface Admission {
  /** Undefined while there is no config. */
  readonly config: AgentConfig | undefined;
  /** Undefined when the config asks for no authentication. */
  readonly authenticator: Authenticator | undefined;
  readonly isDraining: boolean;
  /** The number of connections that are open or about to be, without this one. */
  readonly connections: number;
  readonly maxConnections: number;
  /** Whether the agent listens on a loopback address. */
  readonly isLocal: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly log: Log;
}

export type Verdict =
  | {
      ok: true;
      /** Undefined when the agent authenticates nobody, and no gateway says who the client is. */
      credential: Credential | undefined;
      sessionId: string | undefined;
    }
  | { ok: false; refusal: FacadeRefusal };

/** Path and query of a request target. `URL` would take the target `//name` for a host. */
export function readTarget(target: string): { path: string; query: URLSearchParams } {
  const [path = "", query] = target.split(/\?(.*)/s);
  return { path, query: new URLSearchParams(query) };
}

export async function judgeUpgrade(
  request: IncomingMessage,
  admission: Admission,
): Promise<Verdict> {
  const { config, authenticator, log } = admission;
  const { path, query } = readTarget(request.url ?? "/");
  if (!WEBSOCKET_PATHS.includes(path)) return refuse(NOT_FOUND);
  if (admission.isDraining) return unavailable("ShuttingDown", "the agent is shutting down");
  if (config === undefined) return unavailable("NotReady", "the agent has no config yet");
  if (
    !names(query, "agent", config.agent.name) ||
    !names(query, "namespace", config.agent.namespace)
  ) {
    const { name, namespace } = config.agent;
    const message = `this is agent ${name} in namespace ${namespace}`;
    return refuse({ status: 404, code: "AgentNotFound", message });
  }
  if (admission.isLocal && !isHostTrusted(request.headers)) {
    const message = "this agent answers to localhost only";
    return refuse({ status: 403, code: "HostNotAllowed", message });
  }
  const allowedOrigins = config.facade.allowedOrigins ?? [];
  if (!isOriginAllowed(request.headers, { allowedOrigins, isLocal: admission.isLocal })) {
    const message =
      "pages of this origin may not connect; the agent's spec.facade.allowedOrigins can name it";
    return refuse({ status: 403, code: "OriginNotAllowed", message });
  }
  if (admission.connections >= admission.maxConnections) {
    return unavailable("TooManyConnections", "the agent has as many connections as it takes");
  }
  const sessionId = query.get("session_id") || undefined;
  const gateway = judgeGatewayCaller(request, config, admission.now);
  if (gateway?.ok === false) {
    return unauthorized(`the token of the gateway is not taken: ${gateway.problem}`);
  }
  if (gateway !== undefined) {
    if (!gateway.caller.verbs.has("chat:create")) {
      return unauthorized("the token of the gateway does not allow to chat");
    }
    const credential = gatewayCredential(gateway.caller);
    if (credential !== undefined) return { ok: true, credential, sessionId };
    // The gateway lets in whoever comes. Whether that is enough, the agent's own authentication decides.
  }
  if (config.facade.auth === undefined) return { ok: true, credential: undefined, sessionId };
  const token = tokenOf(request);
  if (token === undefined) {
    return unauthorized(
      "a token is needed: Authorization: Bearer, X-API-Key, or the subprotocol bearer.TOKEN",
    );
  }
  try {
    const credential = await authenticator?.authenticate(token);
    if (credential !== undefined) return { ok: true, credential, sessionId };
  } catch (error) {
    log.error({ error }, "A client could not be authenticated");
    return unavailable("AuthenticationUnavailable", "the token cannot be checked now; try again");
  }
  return unauthorized("the token is not valid");
}

/** Whether the query names this agent or namespace, or none at all. */
function names(query: URLSearchParams, parameter: string, expected: string): boolean {
  return query.getAll(parameter).every((value) => value === "" || value === expected);
}

function refuse(refusal: FacadeRefusal): Verdict {
  return { ok: false, refusal };
}

function unauthorized(message: string): Verdict {
  return refuse({ status: 401, code: "Unauthorized", message });
}

function unavailable(code: string, message: string): Verdict {
  return refuse({ status: 503, code, message });
}
