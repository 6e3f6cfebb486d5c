/** How a gateway and the HTTP API that it serves know each other. */
import type { HttpBindings } from "@hono/node-server";
import type { AgentReference, Endpoint, Route } from "./choose-replica.ts";
import type { CurrentTracer } from "./request-span.ts";

export interface ApiGateway {
  /** The replicas of an agent that could take a connection now. */
  route(agent: AgentReference): Route;
  /** How many connections through this gateway are open to a replica. */
  connections(endpoint: Endpoint): number;
  /** Undefined while no traces are exported. */
  readonly tracer: CurrentTracer;
  /** Aborted when the gateway takes nothing new any more: what streams then ends. */
  readonly closing: AbortSignal;
}

/** Answers the requests below the path of the API. Who may reach the gateway at all was judged before. */
export type ApiHandler = (request: Request, bindings: HttpBindings) => Response | Promise<Response>;
