/** The agent's port for clients: WebSocket connections at `/` and `/ws`, and plain answers to everything else. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { AgentConfig } from "../../agent-config/agent-config.ts";
import { API_PREFIX } from "../../http-api/paths.ts";
import { MAX_CLIENT_FRAME_BYTES } from "../../protocol/frames.ts";
import {
  HEADERS_TIMEOUT_MS,
  IDLE_CLOSE_INTERVAL_MS,
  IDLE_CLOSE_SPREAD_MS,
  LISTEN_BACKLOG,
  MAX_PLAIN_CONNECTIONS,
} from "../contracts/limits.ts";
import { readTraceParent } from "../../observability/tracing/trace-parent.ts";
import type { CurrentStore } from "../sessions/current-store.ts";
import { sessionClientOf } from "../sessions/session-client.ts";
import { selectProtocol, type Authenticator } from "../../authentication/authenticator.ts";
import { callerSubjectOf } from "../../authentication/credential.ts";
import { ClientSocket } from "./client-socket.ts";
import { Connection, type ConnectionContext } from "./connection.ts";
import { ConnectionReview } from "./connection-review.ts";
import { Heartbeats } from "./heartbeats.ts";
import { SessionSource } from "./session-source.ts";
import { isLoopback } from "../../protocol/origin.ts";
import { WEBSOCKET_PATHS } from "../../protocol/websocket-paths.ts";
import { NOT_FOUND, refuseRequest, refuseUpgrade } from "./refusal.ts";
import { judgeUpgrade, readTarget, type Verdict } from "./judge-upgrade.ts";

export interface FacadeOptions extends Omit<
  ConnectionContext,
  "source" | "heartbeats" | "onClose"
> {
  readonly stores: CurrentStore;
  /** The address to listen on; all addresses when it is not given. */
  readonly host?: string | undefined;
  /** Answers undefined while there is no config. */
  readonly currentConfig: () => AgentConfig | undefined;
  /** Answers undefined when the config asks for no authentication. */
  readonly authenticator: () => Authenticator | undefined;
  /** Answers requests below API_PREFIX. Never rejects. */
  readonly handleApiRequest: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}

export class Facade {
  readonly #options: FacadeOptions;
  readonly #context: ConnectionContext;
  readonly #webSockets: WebSocketServer;
  readonly #connections = new Set<Connection>();
  readonly #review: ConnectionReview;
  readonly #closing = Promise.withResolvers<void>();
  /** The number of handshakes that are being judged. Each may become a connection. */
  #judged = 0;
  #server: Server | undefined;
  #isDraining = false;

  constructor(options: FacadeOptions) {
    this.#options = options;
    this.#context = {
      ...options,
      source: new SessionSource(options.runner, options.stores),
      heartbeats: new Heartbeats(options.clock),
      onClose: (connection) => {
        this.#connections.delete(connection);
        this.#settleWhenEmpty();
      },
    };
    this.#review = new ConnectionReview(this.#connections, {
      ...options,
      gatewayKeys: () => options.currentConfig()?.gateway?.publicKeys ?? [],
    });
    this.#webSockets = new WebSocketServer({
      WebSocket: ClientSocket,
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: MAX_CLIENT_FRAME_BYTES,
      handleProtocols: selectProtocol,
    });
  }

  get connections(): number {
    return this.#connections.size;
  }

  /**
   * Takes connections on this port, and no longer on the previous one; connections that are open stay open. Rejects with
   * the error of the socket, and then still takes connections on the previous port.
   */
  async listen(port: number): Promise<number> {
    const { host } = this.#options;
    const server = this.#createServer();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ port, host, backlog: LISTEN_BACKLOG }, () => {
        server.off("error", reject);
        resolve();
      });
    });
    server.on("error", (error) => this.#options.log.error({ error }, "The facade's socket failed"));
    this.#server?.close();
    this.#server = server;
    return (server.address() as AddressInfo).port;
  }

  /** Closes the connections whose client may not be here any more. To be called when who may connect may have changed. */
  review(): Promise<void> {
    return this.#review.run();
  }

  /** From now on new connections are refused, and each open one is closed once its client awaits nothing more. */
  drain(): void {
    this.#isDraining = true;
    const interval = Math.min(
      IDLE_CLOSE_INTERVAL_MS,
      IDLE_CLOSE_SPREAD_MS / this.#connections.size,
    );
    let delay = 0;
    for (const connection of this.#connections) {
      connection.drain(delay);
      delay += interval;
    }
    this.#settleWhenEmpty();
  }

  /** Settles when a drain has closed the last connection. */
  whenEmpty(): Promise<void> {
    return this.#closing.promise;
  }

  /** Closes the open connections after the frames that were sent so far. */
  closeConnections(): void {
    for (const connection of this.#connections) connection.close();
  }

  /** Cuts the connections that are still open, and frees the port. */
  async close(): Promise<void> {
    for (const connection of this.#connections) connection.terminate();
    const server = this.#server;
    if (server === undefined) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  #createServer(): Server {
    const server = createServer(
      {
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: HEADERS_TIMEOUT_MS,
        // A request for another upgrade (such as h2c) is answered like a plain request.
        shouldUpgradeCallback: isWebSocketUpgrade,
      },
      (request, response) => this.#onRequest(request, response),
    );
    // The server reads this at each connection, since the limit may have changed.
    Object.defineProperty(server, "maxConnections", {
      get: () => this.#options.limits().maxConnections + MAX_PLAIN_CONNECTIONS,
    });
    server.on("upgrade", (request, socket, head) => void this.#onUpgrade(request, socket, head));
    return server;
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const { path } = readTarget(request.url ?? "/");
    if (path.startsWith(`${API_PREFIX}/`)) {
      void this.#options.handleApiRequest(request, response);
    } else if (!WEBSOCKET_PATHS.includes(path)) {
      refuseRequest(response, NOT_FOUND);
    } else if (request.method !== "GET" && request.method !== "HEAD") {
      const message = "only GET is taken here, as a WebSocket handshake";
      refuseRequest(response, { status: 405, code: "MethodNotAllowed", message });
    } else {
      const message = "this is a WebSocket address: connect with ws://";
      refuseRequest(response, { status: 426, code: "UpgradeRequired", message });
    }
  }

  async #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    // Until the WebSocket handles errors, a client that goes away must not end the process.
    socket.on("error", ignore);
    const { currentConfig, authenticator, limits, metrics, clock, log, host } = this.#options;
    const reviewsBefore = this.#review.begun;
    const config = currentConfig();
    this.#judged++;
    let verdict: Verdict;
    try {
      verdict = await judgeUpgrade(request, {
        config,
        authenticator: authenticator(),
        isDraining: this.#isDraining,
        connections: this.#connections.size + this.#judged - 1,
        maxConnections: limits().maxConnections,
        isLocal: host !== undefined && isLoopback(host),
        now: clock.now(),
        log,
      });
    } finally {
      this.#judged--;
    }
    if (!verdict.ok) {
      const { code } = verdict.refusal;
      metrics.connectionsRefusedTotal.add(1, { reason: code });
      log.debug({ code }, "A connection was refused");
      refuseUpgrade(socket, verdict.refusal);
      return;
    }
    const { credential, sessionId } = verdict;
    // Without a config everybody is refused.
    const { agent } = config as AgentConfig;
    const identity = sessionClientOf({
      agent,
      subject: credential?.subject,
      callerSubject: credential && callerSubjectOf(credential),
      address: request.socket.remoteAddress,
    });
    const { traceparent, tracestate } = request.headers;
    const traceParent = readTraceParent(traceparent, tracestate);
    const client = { stream: socket, credential, identity, sessionId, traceParent };
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      socket.off("error", ignore);
      metrics.connectionsTotal.add(1);
      const connection = new Connection(webSocket as ClientSocket, this.#context, client);
      this.#connections.add(connection);
      // The drain began while this connection was let in.
      if (this.#isDraining) connection.drain(0);
      // What counts changed while this client was judged by what counted before.
      if (this.#review.begun !== reviewsBefore) void this.#review.run();
    });
  }

  #settleWhenEmpty(): void {
    if (this.#isDraining && this.#connections.size === 0) this.#closing.resolve();
  }
}

function isWebSocketUpgrade(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === "websocket";
}

function ignore(): void {}
