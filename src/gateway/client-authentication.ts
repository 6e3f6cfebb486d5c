/** Who the clients of a gateway are that asks them itself: by keys and tokens as agents take them, or by their rights in a cluster. */
import type { IncomingMessage } from "node:http";
import { tokenOf, type Authenticator } from "../authentication/authenticator.ts";
import type { Credential } from "../authentication/credential.ts";
import type { Log } from "../observability/log.ts";
import { CallersUnavailableError, type Action, type Caller, type Callers } from "./caller.ts";
import type { AgentReference } from "./choose-replica.ts";
import type { GatewayRefusal } from "./refusal.ts";

/** A client that the gateway knows, so that the agent need not ask it. */
export interface KnownClient {
  /** Its sessions belong to this subject. */
  readonly subject: string;
  readonly agent: AgentReference;
  readonly proof: { readonly credential: Credential } | { readonly caller: Caller };
}

export interface ClientAuthentication {
  /** Undefined: the gateway does not know the client, and leaves the question to the agent. */
  identify(
    request: IncomingMessage,
    agent: AgentReference,
    signal: AbortSignal,
  ): Promise<KnownClient | GatewayRefusal | undefined>;
  /** Finds out what counts now, and tells of a client whether it would still be let in. */
  review(signal: AbortSignal): Promise<(client: KnownClient) => Promise<boolean>>;
}

const UNAVAILABLE: GatewayRefusal = {
  code: "AuthenticationUnavailable",
  message: "the token cannot be checked now; try again",
};
const TOKEN_NEEDED: GatewayRefusal = {
  code: "Unauthorized",
  message: "a token is needed: Authorization: Bearer, X-API-Key, or the subprotocol bearer.TOKEN",
};
const TOKEN_NOT_VALID: GatewayRefusal = { code: "Unauthorized", message: "the token is not valid" };

export function createClientAuthentication({
  authenticator,
  callers,
  clock,
  log,
}: {
  /** With it, no client gets in that neither this nor `callers` knows. */
  readonly authenticator: Authenticator | undefined;
  /** With it, tokens of the cluster are taken too. */
  readonly callers: Callers | undefined;
  readonly clock: { now(): number };
  readonly log: Log;
}): ClientAuthentication | undefined {
  if (authenticator === undefined && callers === undefined) return undefined;

  async function callerOf(
    token: string,
    agent: AgentReference,
    signal: AbortSignal,
  ): Promise<KnownClient | GatewayRefusal | undefined> {
    if (callers === undefined) return undefined;
    const caller = await callers.identify(
      { headers: { authorization: `Bearer ${token}` } },
      signal,
    );
    if ("code" in caller) return caller.code === "Unavailable" ? UNAVAILABLE : undefined;
    if (await callers.may(caller, chatWith(agent), signal)) {
      return { subject: caller.subject ?? "", agent, proof: { caller } };
    }
    const { namespace } = agent;
    return {
      code: "Forbidden",
      message:
        `create agentruntimes/chat in namespace ${namespace} is not allowed; see: ` +
        `kubectl auth can-i create agentruntimes.omnia.altairalabs.ai --subresource=chat -n ${namespace}`,
    };
  }

  return {
    async identify(request, agent, signal) {
      const token = tokenOf(request);
      if (token === undefined) return authenticator === undefined ? undefined : TOKEN_NEEDED;
      try {
        const credential = await authenticator?.authenticate(token);
        if (credential !== undefined) {
          return { subject: credential.subject, agent, proof: { credential } };
        }
        const known = await callerOf(token, agent, signal);
        if (known !== undefined) return known;
      } catch (error) {
        if (signal.aborted) throw error;
        log.error({ error }, "A client could not be authenticated");
        return UNAVAILABLE;
      }
      return authenticator === undefined ? undefined : TOKEN_NOT_VALID;
    },

    async review(signal) {
      const accepts = (await authenticator?.review()) ?? (() => false);
      const now = clock.now();
      return async ({ agent, proof }) => {
        if ("credential" in proof) return accepts(proof.credential);
        if (proof.caller.expiresAt !== undefined && proof.caller.expiresAt <= now) return false;
        try {
          return (await callers?.may(proof.caller, chatWith(agent), signal)) === true;
        } catch (error) {
          // A right counts on while nobody can be asked whether it does.
          if (error instanceof CallersUnavailableError) return true;
          throw error;
        }
      };
    },
  };
}

function chatWith({ namespace }: AgentReference): Action {
  return { verb: "create", resource: "agentruntimes", subresource: "chat", namespace };
}
