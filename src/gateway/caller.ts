/** Who asks the HTTP API, and what each may do there. Which rights there are, and who has them, is decided elsewhere. */
import type { IncomingHttpHeaders } from "node:http";

export interface Caller {
  /** Who it is, to agents and in logs. Undefined where nobody is asked, and everybody who reaches the gateway is let in. */
  readonly subject: string | undefined;
  /** Milliseconds since 1970. From then on the caller has to prove again who it is. Undefined where that is not known. */
  readonly expiresAt?: number | undefined;
}

/** What somebody wants to do, as Kubernetes names such a right. */
export interface Action {
  readonly verb: "get" | "list" | "watch" | "create" | "delete";
  readonly resource: "agentruntimes" | "promptpacks" | "toolregistries";
  /** Parts of an agent that no object of the cluster has: its conversation, its sessions, calls of its tools by hand. */
  readonly subresource?: "chat" | "sessions" | "toolcalls" | undefined;
  /** Undefined asks for all namespaces at once. */
  readonly namespace: string | undefined;
}

export interface CallerRefusal {
  readonly code: "Unauthorized" | "Unavailable";
  /** For people. It holds nothing of the credential. */
  readonly message: string;
  readonly cure?: string | undefined;
}

export interface Callers {
  /** `local`: everybody who is let in may do everything. */
  readonly mode: "local" | "cluster";
  identify(
    request: { readonly headers: IncomingHttpHeaders },
    signal: AbortSignal,
  ): Promise<Caller | CallerRefusal>;
  /** Takes a caller that `identify` returned. Rejects with CallersUnavailableError when it cannot be found out. */
  may(caller: Caller, action: Action, signal: AbortSignal): Promise<boolean>;
}

/** Those who know what a caller may do could not be asked. */
export class CallersUnavailableError extends Error {
  override readonly name = "CallersUnavailableError";
}

const ANYBODY: Caller = { subject: undefined };

/** For one machine: whoever the gateway lets in may do everything. */
export const LOCAL_CALLERS: Callers = {
  mode: "local",
  identify: async () => ANYBODY,
  may: async () => true,
};
