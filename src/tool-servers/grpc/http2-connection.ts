/**
 * The connection of gRPC calls to one server. It connects to addresses that the tool may have and to no others, and opens a new
 * connection when the last one is gone. A call is sent once the server has said that it speaks HTTP/2: so whatever else answers there
 * gets no call, and a call that met it is known not to have been received.
 */
import { connect, type ClientHttp2Session, type ClientHttp2Stream } from "node:http2";
import { addressPolicy, type AllowedAddresses } from "../../network/address-verdict.ts";
import { guardedLookup, isRefusedHost } from "../../network/guarded-lookup.ts";
import type { Clock } from "../../time/clock.ts";
import { MAX_TOOL_CONNECT_MS } from "../server/limits.ts";
import { TransportError, transportError } from "../server/transport-error.ts";
import { MAX_GREETING_MS } from "./grpc-limits.ts";
import type { GrpcAddress } from "./grpc-address.ts";

/** A connection on which nothing comes or goes takes no more calls after this time, before a network in between forgets it without a word. */
const IDLE_CONNECTION_MS = 10_000;

export interface Http2ConnectionOptions {
  readonly address: GrpcAddress;
  readonly allowed: AllowedAddresses;
  readonly clock: Pick<Clock, "setTimer">;
}

/** It has the form that the package `connect-node` asks of one that manages HTTP/2 sessions. */
export class Http2Connection {
  readonly #options: Http2ConnectionOptions;
  readonly #streams = new WeakMap<ClientHttp2Session, number>();
  #session: Promise<ClientHttp2Session> | undefined;

  constructor(options: Http2ConnectionOptions) {
    this.#options = options;
  }

  get authority(): string {
    return this.#options.address.origin;
  }

  /** Rejects with a TransportError when the request was not sent. */
  async request(
    method: string,
    path: string,
    headers: NodeJS.Dict<number | string | string[]>,
  ): Promise<ClientHttp2Stream> {
    const session = await this.#connected();
    let stream: ClientHttp2Stream;
    try {
      stream = session.request({ ...headers, ":method": method, ":path": path });
    } catch (error) {
      this.#forget(session);
      throw transportError(error, false);
    }
    this.#hold(session, stream);
    return stream;
  }

  /** The package tells of each answer that it reads. Nothing depends on it here. */
  notifyResponseByteRead(): void {}

  /** The next call opens a new connection. Calls that are under way end on the old one. */
  renew(): void {
    const last = this.#session;
    this.#session = undefined;
    void last?.then(
      (session) => session.close(),
      () => {},
    );
  }

  /** Those that come while a connection is being opened wait for the same one. */
  async #connected(): Promise<ClientHttp2Session> {
    const opening = (this.#session ??= this.#open());
    try {
      const session = await opening;
      if (!session.closed && !session.destroyed) return session;
      this.#forget(session);
    } catch (error) {
      if (this.#session === opening) this.#session = undefined;
      throw error;
    }
    return await this.#connected();
  }

  #open(): Promise<ClientHttp2Session> {
    const { address, allowed, clock } = this.#options;
    const policy = addressPolicy(allowed);
    const { promise, resolve, reject } = Promise.withResolvers<ClientHttp2Session>();
    if (isRefusedHost(address.hostname, policy)) {
      reject(new TransportError("address_refused", { mayBeReceived: false }));
      return promise;
    }
    const session = connect(address.origin, { lookup: guardedLookup(policy) });
    // It keeps no process alive by itself; a call does.
    session.unref();
    session.setTimeout(IDLE_CONNECTION_MS, () => session.close());
    const fail = (error: TransportError): void => {
      reject(error);
      session.destroy();
    };
    const isLate = (): void =>
      fail(new TransportError("connect_timeout", { mayBeReceived: false }));
    let late = clock.setTimer(MAX_TOOL_CONNECT_MS, isLate);
    session.once("connect", () => {
      late.cancel();
      late = clock.setTimer(MAX_GREETING_MS, isLate);
    });
    session.once("remoteSettings", () => {
      late.cancel();
      resolve(session);
    });
    // A session that was opened may fail at any time. Its streams tell those who wait for them.
    session.on("error", (error) => fail(failureOf(error)));
    session.once("close", () => {
      late.cancel();
      reject(new TransportError("broken_off", { mayBeReceived: false }));
      this.#forget(session);
    });
    session.once("goaway", () => this.#forget(session));
    return promise;
  }

  #hold(session: ClientHttp2Session, stream: ClientHttp2Stream): void {
    this.#count(session, 1);
    stream.once("close", () => this.#count(session, -1));
  }

  #count(session: ClientHttp2Session, change: number): void {
    const streams = (this.#streams.get(session) ?? 0) + change;
    this.#streams.set(session, streams);
    if (session.destroyed) return;
    if (streams > 0) session.ref();
    else session.unref();
  }

  #forget(session: ClientHttp2Session): void {
    const last = this.#session;
    void last?.then(
      (current) => {
        if (current === session && this.#session === last) this.#session = undefined;
      },
      () => {},
    );
  }
}

function failureOf(error: unknown): TransportError {
  const { code = "" } = error as { code?: string };
  return code.startsWith("ERR_HTTP2")
    ? new TransportError("other_protocol", { mayBeReceived: false, cause: error })
    : transportError(error, false);
}
