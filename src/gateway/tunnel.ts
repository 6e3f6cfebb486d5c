/**
 * A connection through the gateway copies bytes both ways as they come. It does not look at frames. So a slow reader on one side
 * holds back the writer on the other, and whatever client and agent agree on in their handshake works.
 */
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Endpoint } from "./choose-replica.ts";
import { systemClock, type Timer } from "../time/clock.ts";

export interface TunnelLimits {
  /** The time for making the TCP connection to a replica. */
  readonly connectTimeoutMs: number;
  /** The time until the first byte of the replica's answer to the handshake. */
  readonly handshakeTimeoutMs: number;
  /** How long one direction may stay open after the other has ended. */
  readonly halfClosedMs: number;
}

export class ConnectError extends Error {
  override readonly name = "ConnectError";
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

/** `answered` means that the replica gave any answer to the handshake, and that both sides have closed since. */
export type TunnelEnd = "answered" | "replica-failed" | "replica-timeout";

/**
 * Sends the handshake and copies both ways until both sides have ended. When the replica gives no answer at all, the
 * client's socket is left open for a refusal.
 */
export function runTunnel(
  client: Duplex,
  replica: Socket,
  handshake: { head: string; rest: Buffer },
  limits: TunnelLimits,
): Promise<TunnelEnd> {
  return new Promise((resolve) => {
    let over = false;
    const finish = (end: TunnelEnd): void => {
      over = true;
      handshakeTimer.cancel();
      halfClosedTimer?.cancel();
      resolve(end);
    };
    const giveUp = (end: TunnelEnd): void => {
      client.unpipe(replica);
      replica.unpipe(client).destroy();
      finish(end);
    };

    const handshakeTimer = systemClock.setTimer(limits.handshakeTimeoutMs, () => {
      if (!over && replica.bytesRead === 0) giveUp("replica-timeout");
    });
    let halfClosedTimer: Timer | undefined;
    /** Called when one direction has ended. What is under way gets a while to arrive, and the other direction a while to end. */
    const endOther = (other: Duplex): void => {
      other.end();
      halfClosedTimer ??= systemClock.setTimer(limits.halfClosedMs, () => {
        client.destroy();
        replica.destroy();
      });
    };

    const onClientEnd = (): void => {
      if (!over) endOther(replica);
    };
    const onReplicaEnd = (): void => {
      if (over) return;
      if (replica.bytesRead === 0 && !client.destroyed) giveUp("replica-failed");
      else endOther(client);
    };
    const onClose = (): void => {
      if (!over && client.closed && replica.closed) finish("answered");
    };
    // An error is followed by "close", which does all that is needed.
    client
      .on("error", () => {})
      .on("end", onClientEnd)
      .on("close", onClientEnd)
      .on("close", onClose);
    replica
      .on("error", () => {})
      .on("end", onReplicaEnd)
      .on("close", onReplicaEnd)
      .on("close", onClose);

    replica.write(handshake.head, "latin1");
    if (handshake.rest.length > 0) replica.write(handshake.rest);
    client.pipe(replica, { end: false });
    replica.pipe(client, { end: false });
  });
}
