/** The WebSocket connections of a gateway: judged, led to a replica, counted, judged again, and ended. */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Log } from "../observability/log.ts";
import type { Span } from "../observability/tracing/tracer.ts";
import { CLOSE_UNAUTHORIZED } from "../protocol/close-codes.ts";
import type { Clock, Timer } from "../time/clock.ts";
import type { Access } from "./access.ts";
import {
  orderEndpoints,
  type AgentReference,
  type Endpoint,
  type LocateSession,
  type WakeAgent,
} from "./choose-replica.ts";
import type { ClientAuthentication, KnownClient } from "./client-authentication.ts";
import { ConnectionBook } from "./connection-book.ts";
import { drainTunnels } from "./drain-tunnels.ts";
import type { GatewayMetrics } from "./gateway-metrics.ts";
import type { GatewaySource } from "./gateway-source.ts";
import type { HostRule } from "./host-rule.ts";
import { judgeUpgrade, type Admitted } from "./judge-upgrade.ts";
import { refusalStatus, refuseUpgrade, SHUTTING_DOWN, type GatewayRefusal } from "./refusal.ts";
import {
  askReplica,
  ConnectError,
  connectToEndpoint,
  HandshakeError,
  withHeader,
  type ReplicaAnswer,
} from "./replica-handshake.ts";
import {
  beginRequestSpan,
  endRequestSpan,
  joiningHeaders,
  routeOfUpgrade,
  type CurrentTracer,
  type TracedRequest,
} from "./request-span.ts";
import { Tunnel, type TunnelOptions } from "./tunnel.ts";
import { wakeWhileThere } from "./wake-while-there.ts";
import { affinityKey, forwardedHead, namedSession, ownProtocol } from "./upgrade-request.ts";

export interface ConnectionLimits {
  /** How many WebSocket connections may be open at one time, over all agents. */
  readonly maxConnections: number;
  /** The time for making the TCP connection to a replica. */
  readonly connectTimeoutMs: number;
  /** The time until the head of the replica's answer to the handshake is there. */
  readonly handshakeTimeoutMs: number;
  /** How long one direction may stay open after the other has ended. */
  readonly halfClosedMs: number;
}

/** Proves to an agent who its client is. Rejects when that cannot be done now. */
export type SignToken = (client: KnownClient) => Promise<string>;

export interface ConnectionsOptions {
  readonly source: GatewaySource;
  readonly log: Log;
  readonly clock: Clock;
  readonly limits: ConnectionLimits;
  readonly metrics: GatewayMetrics;
  readonly allowedOrigins: readonly string[];
  /** Undefined: agents alone ask who their clients are. */
  readonly authentication: ClientAuthentication | undefined;
  readonly signToken: SignToken | undefined;
  /** Undefined: agents are not started for their clients. */
  readonly wake: WakeAgent | undefined;
  /** Undefined: a session that a client names leads nowhere. */
  readonly locateSession: LocateSession | undefined;
  /** Whether those who may connect are told which agents there are. */
  readonly namesAgents: boolean;
  readonly tracer: CurrentTracer;
}

/** What is known once the gateway listens. */
export interface Listening {
  readonly hosts: HostRule;
  readonly access: Access | undefined;
}

interface OpenConnection {
  readonly agent: AgentReference;
  readonly client: KnownClient | undefined;
}

/** A client whose handshake is being judged. */
interface Asking {
  readonly socket: Duplex;
  /** Set where traces are exported. */
  readonly span: Span | undefined;
}

/** A replica that has answered the handshake. */
interface Reached {
  readonly socket: Socket;
  readonly answer: ReplicaAnswer;
  /** Counts the connection as long as it is open. */
  readonly entry: Disposable;
}

const NOT_AVAILABLE = 503;
const SWITCHING_PROTOCOLS = 101;

export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #book = new ConnectionBook();
  readonly #tunnels = new Map<Tunnel, OpenConnection>();
  /** The sockets of clients, from their handshake on. */
  readonly #sockets = new Set<Duplex>();
  readonly #countBytes: TunnelOptions["onBytes"];
  /** How many handshakes are judged now. */
  #judged = 0;
  readonly #closing = new AbortController();

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#countBytes = (direction, bytes) => options.metrics.passed(direction, bytes);
    options.metrics.observe(() => this.#agents());
  }

  /** How many connections are open to a replica. */
  to({ id }: Endpoint): number {
    return this.#book.load(id).connections;
  }

  /** From now on new connections are refused. */
  refuseNew(): void {
    this.#closing.abort();
  }

  /** Ends the connections one after the other. Settles when none is left, or all were told to go because the grace is over. */
  async drain(graceMs: number, signal: AbortSignal): Promise<void> {
    await drainTunnels(this.#tunnels, { graceMs, clock: this.#options.clock, signal });
  }

  /** Closes the connections whose client would not be let in any more. Never rejects. */
  async review(signal: AbortSignal): Promise<void> {
    const { authentication, log } = this.#options;
    if (authentication === undefined) return;
    const known = [...this.#tunnels].filter(([, { client }]) => client !== undefined);
    if (known.length === 0) return;
    try {
      const isStillGood = await authentication.review(signal);
      let revoked = 0;
      for (const [tunnel, { client }] of known) {
        if (tunnel.isEnding || (await isStillGood(client as KnownClient))) continue;
        tunnel.close(CLOSE_UNAUTHORIZED, "the credential is no longer accepted");
        revoked += 1;
      }
      if (revoked > 0) log.info({ connections: revoked }, "Connections were closed");
    } catch (error) {
      if (!signal.aborted) log.error({ error }, "The open connections could not be judged again");
    }
  }

  /** Cuts what is open. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Leads a handshake to a replica, or refuses it. Never rejects. */
  async take(
    request: IncomingMessage,
    socket: Duplex,
    rest: Buffer,
    listening: Listening | undefined,
  ): Promise<void> {
    // A client that goes away must not end the process.
    socket.on("error", () => {});
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    const begun = this.#options.clock.monotonic();
    const span = this.#beginSpan(request);
    const left = new AbortController();
    const onLeft = (): void => left.abort(new Error("the client has left"));
    socket.once("close", onLeft);
    try {
      const outcome = await this.#reach(request, { socket, span }, listening, left.signal);
      if ("code" in outcome) this.#refuse({ socket, span }, outcome);
      else this.#open(request, { socket, rest, begun, span }, outcome);
    } catch (error) {
      if (!left.signal.aborted) {
        this.#options.log.error({ error }, "A handshake failed");
        socket.destroy();
      }
    } finally {
      socket.off("close", onLeft);
      // Whatever has not ended it by now is a failure.
      span?.end(left.signal.aborted ? "client_left" : "handshake_failed");
    }
  }

  async #reach(
    request: IncomingMessage,
    { socket, span }: Asking,
    listening: Listening | undefined,
    signal: AbortSignal,
  ): Promise<(Reached & Admitted) | GatewayRefusal> {
    const { source, allowedOrigins, authentication, namesAgents, limits, wake } = this.#options;
    const signals = { left: signal, closing: this.#closing.signal };
    this.#judged += 1;
    let verdict: Admitted | GatewayRefusal;
    try {
      verdict = await judgeUpgrade(request, {
        source,
        hosts: listening?.hosts,
        allowedOrigins,
        authentication,
        mayHear: (asking) => namesAgents && (listening?.access?.isGrantedTo(asking) ?? true),
        isClosing: () => this.#closing.signal.aborted,
        wake: wake && ((agent) => wakeWhileThere(wake, agent, { socket, signals })),
        connections: this.#book.open + this.#judged - 1,
        maxConnections: limits.maxConnections,
        signal,
      });
    } catch (error) {
      if (!this.#closing.signal.aborted || signal.aborted) throw error;
      return SHUTTING_DOWN;
    } finally {
      this.#judged -= 1;
    }
    signal.throwIfAborted();
    if ("code" in verdict) return verdict;
    const { agent, client } = verdict;
    span?.set({ "gen_ai.agent.name": agent.name, "omnia.namespace": agent.namespace });
    let gatewayToken: string | undefined;
    try {
      gatewayToken = client && (await this.#options.signToken?.(client));
    } catch (error) {
      this.#options.log.error({ error }, "The token for an agent could not be signed");
      return { code: "AuthenticationUnavailable", message: "the agent cannot be told who asks" };
    }
    const head = forwardedHead(request, {
      target: verdict.target,
      withoutToken: (name, value) =>
        listening?.access === undefined ? value : listening.access.withoutToken(name, value),
      gatewayToken,
      traceHeaders: joiningHeaders(span, traceOf(request)),
      withoutOrigin: verdict.isPageOfGateway,
    });
    const endpoints = await this.#ordered(request, verdict, signal);
    const reached = await this.#reachFirst(endpoints, head, signal);
    if (typeof reached !== "string") return { ...verdict, ...reached };
    const { name, namespace } = agent;
    this.#options.log.warn(
      { agent: name, namespace, end: reached },
      "a connection could not be passed on",
    );
    return failureRefusal(reached, agent);
  }

  /**
   * The replicas in the order in which they are tried. Where sessions are in the memory of replicas, the one that has the session
   * which the client names comes first: somebody may have forked it there, or have another address than before.
   */
  async #ordered(
    request: IncomingMessage,
    { agent, route }: Admitted,
    signal: AbortSignal,
  ): Promise<Endpoint[]> {
    const ordered = orderEndpoints(route.endpoints, route.affinity, affinityKey(request), (id) =>
      this.#book.load(id),
    );
    const { locateSession } = this.#options;
    const sessionId = namedSession(request.url ?? "/");
    if (sessionId === undefined || locateSession === undefined || route.affinity !== "client") {
      return ordered;
    }
    if (ordered.length < 2) return ordered;
    const found = await locateSession(agent, ordered, sessionId, signal);
    if (found === undefined) return ordered;
    return [found, ...ordered.filter(({ id }) => id !== found.id)];
  }

  /** Tries the endpoints in turn. One that accepts the connection and says that it is not available leads to the next one, too. */
  async #reachFirst(
    endpoints: readonly Endpoint[],
    head: string,
    signal: AbortSignal,
  ): Promise<Reached | HandshakeError["end"]> {
    const { limits, log } = this.#options;
    for (const [index, endpoint] of endpoints.entries()) {
      using tried = new DisposableStack();
      const entry = tried.use(this.#book.enter(endpoint));
      let socket: Socket;
      try {
        socket = await connectToEndpoint(endpoint, limits.connectTimeoutMs, signal);
      } catch (error) {
        if (!(error instanceof ConnectError)) throw error;
        log.debug({ error }, "trying the next replica");
        continue;
      }
      try {
        const timeoutMs = limits.handshakeTimeoutMs;
        const answer = await askReplica(socket, head, { timeoutMs, signal });
        if (answer.status === NOT_AVAILABLE && index + 1 < endpoints.length) {
          socket.destroy();
          continue;
        }
        tried.move();
        return { socket, answer, entry };
      } catch (error) {
        if (error instanceof HandshakeError) return error.end;
        throw error;
      }
    }
    return "replica-failed";
  }

  #open(
    request: IncomingMessage,
    from: Asking & { rest: Buffer; begun: number },
    { socket: replica, answer, entry, agent, client }: Reached & Admitted,
  ): void {
    const { metrics, limits, clock } = this.#options;
    if (from.span !== undefined) endRequestSpan(from.span, answer.status);
    if (answer.status !== SWITCHING_PROTOCOLS) {
      metrics.refused("AgentRefused");
      passAnswerOn(from.socket, replica, answer, {
        timer: clock.setTimer(limits.halfClosedMs, () => replica.destroy()),
        entry,
      });
      return;
    }
    const isProven = client !== undefined && this.#options.signToken !== undefined;
    const protocol = isProven ? ownProtocol(request) : undefined;
    const head =
      protocol === undefined
        ? answer.head
        : withHeader(answer.head, "Sec-WebSocket-Protocol", protocol);
    from.socket.write(head, "latin1");
    const tunnel = new Tunnel(from.socket, replica, {
      halfClosedMs: limits.halfClosedMs,
      onBytes: this.#countBytes,
      onEnd: () => {
        this.#tunnels.delete(tunnel);
        entry[Symbol.dispose]();
      },
    });
    this.#tunnels.set(tunnel, { agent, client });
    metrics.connected(agent, (clock.monotonic() - from.begun) / 1_000);
    tunnel.start(from.rest, answer.rest);
  }

  #beginSpan(request: IncomingMessage): Span | undefined {
    const tracer = this.#options.tracer();
    return tracer && beginRequestSpan(tracer, traceOf(request));
  }

  #refuse({ socket, span }: Asking, refusal: GatewayRefusal): void {
    this.#options.metrics.refused(refusal.code);
    if (span !== undefined) endRequestSpan(span, refusalStatus(refusal), refusal.code);
    refuseUpgrade(socket, refusal);
  }

  *#agents(): Iterable<AgentReference> {
    for (const { agent } of this.#tunnels.values()) yield agent;
  }
}

function traceOf({ method = "GET", headers, url = "/" }: IncomingMessage): TracedRequest {
  const { traceparent, tracestate } = headers;
  return { method, traceparent, tracestate, route: routeOfUpgrade(url) };
}

/**
 * The agent refused the handshake. Its answer goes to the client; nothing more of the client goes to the agent, which might take it
 * for another request.
 */
function passAnswerOn(
  client: Duplex,
  replica: Socket,
  answer: ReplicaAnswer,
  { timer, entry }: { timer: Timer; entry: Disposable },
): void {
  client.write(answer.head, "latin1");
  if (answer.rest.length > 0) client.write(answer.rest);
  replica.end();
  replica.pipe(client);
  replica.once("close", () => {
    client.end();
    timer.cancel();
    entry[Symbol.dispose]();
  });
  client.once("close", () => replica.destroy());
  client.resume();
}

function failureRefusal(
  end: HandshakeError["end"],
  { name, namespace }: AgentReference,
): GatewayRefusal {
  const agent = `agent ${name} in namespace ${namespace}`;
  return end === "replica-failed"
    ? { code: "ReplicaFailed", message: `${agent}: its replica could not be reached; try again` }
    : {
        code: "ReplicaTimeout",
        message: `${agent}: its replica did not answer in time; try again`,
      };
}
