import type { IncomingMessage, ServerResponse } from "node:http";
import { NOT_FOUND, refuseRequest } from "../facade/refusal.ts";
import type { SessionsEndpoint, SessionsEndpointOptions } from "./sessions-endpoint.ts";

/** The endpoint, which is loaded with the first request that may be a gateway's. Most replicas are never asked. */
export class LoadedEndpoint {
  readonly #options: SessionsEndpointOptions;
  #loading: Promise<SessionsEndpoint> | undefined;

  constructor(options: SessionsEndpointOptions) {
    this.#options = options;
  }

  /** Answers the request. Never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#options.currentConfig()?.gateway === undefined) {
      return refuseRequest(response, NOT_FOUND);
    }
    try {
      const endpoint = await (this.#loading ??= this.#load());
      await endpoint.handle(request, response);
    } catch (error) {
      this.#loading = undefined;
      this.#options.log.error({ error }, "What gateways ask for could not be loaded");
      refuseRequest(response, NOT_FOUND);
    }
  }

  /** Ends the requests that are being answered. */
  async close(): Promise<void> {
    const endpoint = await this.#loading?.catch(() => {});
    endpoint?.close();
  }

  async #load(): Promise<SessionsEndpoint> {
    const { SessionsEndpoint } = await import("./sessions-endpoint.ts");
    return new SessionsEndpoint(this.#options);
  }
}
