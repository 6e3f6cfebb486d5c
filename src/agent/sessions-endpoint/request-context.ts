import type { IncomingMessage } from "node:http";
import type { AgentConfig } from "../../agent-config/agent-config.ts";
import type { SessionClient } from "../sessions/session-client.ts";

/** A request to the HTTP API whose caller a gateway has proved, and who may do what it asks for. */
export interface RequestContext {
  readonly request: IncomingMessage;
  readonly query: URLSearchParams;
  /** The config as it was when the request came. */
  readonly config: AgentConfig;
  /** Who asks, as the gateway knows it. Undefined where it asks nobody. */
  readonly subject: string | undefined;
  /** Who the caller is to the session store. */
  readonly client: SessionClient;
  /** Aborted when the caller leaves, when the time is over, and when the agent ends. */
  readonly signal: AbortSignal;
}

/** What a request is answered with. */
export interface ApiAnswer {
  readonly status: 200 | 201 | 204;
  /** JSON. */
  readonly body?: object | undefined;
}
