/** Connects to a replica, and has its answer to a handshake, before anything of the client's goes there. */
import { connect, type Socket } from "node:net";
import { systemClock } from "../time/clock.ts";
import type { Endpoint } from "./choose-replica.ts";

/** The head of an answer to a handshake: a status line and a few headers. */
const MAX_ANSWER_HEAD_BYTES = 16 * 1024;
const HEAD_END = "\r\n\r\n";

export class ConnectError extends Error {
  override readonly name = "ConnectError";
}

/** The replica took the connection and gave no answer to the handshake. */
export class HandshakeError extends Error {
  override readonly name = "HandshakeError";
  readonly end: "replica-failed" | "replica-timeout";

  constructor(end: HandshakeError["end"], message: string) {
    super(message);
    this.end = end;
  }
}

/** Settles with the replica's socket. Rejects with a ConnectError, or with the reason of `signal` when that aborts. */
export function connectToEndpoint(
  endpoint: Endpoint,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connect({
      host: endpoint.host,
      port: endpoint.port,
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
    });
    const settle = (error?: Error): void => {
      timer.cancel();
      signal.removeEventListener("abort", onAbort);
      socket.off("error", onError);
      if (error === undefined) {
        resolve(socket);
        return;
      }
      socket.on("error", () => {}).destroy();
      reject(error);
    };
    const onError = (error: Error): void =>
      settle(new ConnectError(`replica ${endpoint.id} cannot be connected to`, { cause: error }));
    const onAbort = (): void => settle(signal.reason as Error);
    const timer = systemClock.setTimer(timeoutMs, () =>
      settle(
        new ConnectError(`replica ${endpoint.id} did not accept a connection in ${timeoutMs} ms`),
      ),
    );
    signal.addEventListener("abort", onAbort, { once: true });
    socket.once("error", onError);
    socket.once("connect", () => settle());
  });
}

export interface ReplicaAnswer {
  readonly status: number;
  /** With the empty line at its end, in latin1. */
  readonly head: string;
  /** What came behind the head. */
  readonly rest: Buffer;
}

/**
 * Sends the head of a handshake, and settles with the answer; the socket is paused then. Rejects with a HandshakeError, or with the
 * reason of `signal` when that aborts, and the socket is destroyed then.
 */
export function askReplica(
  socket: Socket,
  head: string,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<ReplicaAnswer> {
  return new Promise((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0);
    const settle = (outcome: ReplicaAnswer | Error): void => {
      timer.cancel();
      signal.removeEventListener("abort", onAbort);
      socket.off("data", onData).off("end", onEnd).off("close", onEnd);
      if (outcome instanceof Error) {
        socket.destroy();
        reject(outcome);
      } else {
        socket.pause();
        resolve(outcome);
      }
    };
    const onData = (chunk: Buffer): void => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const end = received.indexOf(HEAD_END);
      if (end === -1) {
        if (received.length <= MAX_ANSWER_HEAD_BYTES) return;
        settle(new HandshakeError("replica-failed", "the replica's answer has too long a head"));
        return;
      }
      const text = received.toString("latin1", 0, end + HEAD_END.length);
      const status = /^HTTP\/1\.[01] (\d{3})[ \r]/.exec(text)?.[1];
      settle(
        status === undefined
          ? new HandshakeError("replica-failed", "the replica does not answer in HTTP")
          : { status: Number(status), head: text, rest: received.subarray(text.length) },
      );
    };
    const onEnd = (): void =>
      settle(new HandshakeError("replica-failed", "the replica hung up without an answer"));
    const onAbort = (): void => settle(signal.reason as Error);
    const timer = systemClock.setTimer(timeoutMs, () =>
      settle(
        new HandshakeError("replica-timeout", `the replica gave no answer in ${timeoutMs} ms`),
      ),
    );
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener("abort", onAbort, { once: true });
    // An error is followed by "close".
    socket.on("error", () => {});
    socket.on("data", onData).on("end", onEnd).on("close", onEnd);
    socket.write(head, "latin1");
  });
}

/** The head of an answer with one more header. */
export function withHeader(head: string, name: string, value: string): string {
  return `${head.slice(0, -2)}${name}: ${value}\r\n\r\n`;
}
