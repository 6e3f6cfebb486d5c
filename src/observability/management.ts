/** The management port: `/healthz`, `/readyz` and `/metrics`. */
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Metrics } from "./metrics.ts";

const MAX_CONNECTIONS = 64;
/** The headers of a request must arrive within this time. */
const HEADERS_TIMEOUT_MS = 10_000;

export interface ManagementOptions {
  /** The port is opened on all addresses when this is unset. */
  readonly host?: string | undefined;
  readonly metrics: Metrics;
  /** Tells why the process cannot do its work now, in sentences for people. The list is empty when it can. */
  readonly reasons: () => Promise<readonly string[]>;
}

export class Management {
  readonly #options: ManagementOptions;
  readonly #server: Server;

  constructor(options: ManagementOptions) {
    this.#options = options;
    this.#server = createServer(
      { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: HEADERS_TIMEOUT_MS },
      (request, response) => {
        if (request.method !== "GET" && request.method !== "HEAD") {
          response.setHeader("allow", "GET, HEAD");
          answer(response, 405, { error: "only GET is taken here" });
          return;
        }
        void this.#answer((request.url ?? "/").split("?")[0] ?? "/", response).catch(() =>
          response.destroy(),
        );
      },
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ port, host: this.#options.host }, () => {
        this.#server.off("error", reject);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(path: string, response: ServerResponse): Promise<void> {
    switch (path) {
      case "/healthz":
        answer(response, 200, { status: "ok" });
        return;
      case "/readyz": {
        const reasons = await this.#options.reasons();
        if (reasons.length === 0) answer(response, 200, { status: "ready" });
        else answer(response, 503, { status: "not ready", reasons });
        return;
      }
      case "/metrics": {
        const { metrics } = this.#options;
        response.setHeader("content-type", metrics.contentType);
        response.end(await metrics.text());
        return;
      }
      default:
        answer(response, 404, { error: "there are /healthz, /readyz and /metrics" });
    }
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(`${JSON.stringify(body)}\n`);
}
