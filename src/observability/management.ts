/** The management port: `/healthz`, `/readyz`, `/metrics`, and of an agent `/canary`. */
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { CanaryReport } from "./canary-report.ts";
import { limitConnections } from "./connection-limit.ts";
import type { Metrics } from "./metrics.ts";
import { type NotReadyReason, notReadyAnswer } from "./readiness-answer.ts";

/** When more connections come, one without a request is closed for each: the kubelet is never refused. */
export const MAX_CONNECTIONS = 64;
const MAX_HEADER_BYTES = 8 * 1024;

export interface ManagementTimeouts {
  /** A whole request must have come by then, counted from its first byte, or from the connection if it is the first one. */
  readonly requestMs: number;
  /** A connection without a further request is closed after this time. */
  readonly keepAliveMs: number;
  /** A connection is closed when its client has taken in nothing of an answer for this time. */
  readonly unreadMs: number;
  /** The requests are looked at this often. */
  readonly checkMs: number;
}

const TIMEOUTS: ManagementTimeouts = {
  requestMs: 10_000,
  keepAliveMs: 10_000,
  unreadMs: 10_000,
  checkMs: 1_000,
};

export interface ManagementOptions {
  /** The port is opened on all addresses when this is unset. */
  readonly host?: string | undefined;
  readonly timeouts?: ManagementTimeouts | undefined;
  readonly metrics: Metrics;
  /** Tells why the process cannot do its work now. The list is empty when it can. */
  readonly reasons: () => Promise<readonly NotReadyReason[]>;
  /** What is answered at `/canary`. There is no such path when it is unset. */
  readonly canary?: (() => CanaryReport) | undefined;
}

export class Management {
  readonly #options: ManagementOptions;
  readonly #server: Server;
  readonly #metrics: () => Promise<string>;

  constructor(options: ManagementOptions) {
    this.#options = options;
    this.#metrics = shared(() => options.metrics.text());
    const { requestMs, keepAliveMs, unreadMs, checkMs } = options.timeouts ?? TIMEOUTS;
    this.#server = createServer(
      {
        headersTimeout: requestMs,
        requestTimeout: requestMs,
        keepAliveTimeout: keepAliveMs,
        connectionsCheckingInterval: checkMs,
        maxHeaderSize: MAX_HEADER_BYTES,
      },
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
    this.#server.timeout = unreadMs;
    limitConnections(this.#server, MAX_CONNECTIONS);
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
    const { canary } = this.#options;
    if (path === "/canary" && canary !== undefined) {
      answer(response, 200, canary());
      return;
    }
    switch (path) {
      case "/healthz":
        answer(response, 200, { status: "ok" });
        return;
      case "/readyz": {
        const reasons = await this.#options.reasons();
        if (reasons.length === 0) answer(response, 200, { status: "ready" });
        else answer(response, 503, notReadyAnswer(reasons));
        return;
      }
      case "/metrics": {
        response.setHeader("content-type", this.#options.metrics.contentType);
        response.end(await this.#metrics());
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

/** Those who ask while an answer is being made get that one, however many they are. */
function shared<T>(make: () => Promise<T>): () => Promise<T> {
  let current: Promise<T> | undefined;
  return () => {
    current ??= make().finally(() => {
      current = undefined;
    });
    return current;
  };
}
