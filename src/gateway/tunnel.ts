/**
 * A connection through the gateway copies bytes both ways as they come. So a slow reader on one side holds back the writer on the
 * other, and whatever client and agent agree on in their handshake works. It looks at the heads of frames that go to the client, to
 * know where it may end the connection in the words of the protocol.
 */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { systemClock, type Timer } from "../time/clock.ts";
import { closeFrame, FrameBoundary } from "./frame-boundary.ts";

export interface TunnelOptions {
  /** How long one direction may stay open after the other has ended. */
  readonly halfClosedMs: number;
  /** Called with the number of bytes of each piece that passes. */
  readonly onBytes?: ((direction: "to-client" | "to-agent", bytes: number) => void) | undefined;
  /** Called once, when both sides have closed. */
  readonly onEnd: () => void;
}

export class Tunnel {
  readonly #client: Duplex;
  readonly #replica: Socket;
  readonly #options: TunnelOptions;
  readonly #boundary = new FrameBoundary();
  #halfClosed: Timer | undefined;
  #isClosing = false;
  /** The frame with which the connection ends at the next boundary. */
  #lastFrame: Buffer | undefined;
  #isOver = false;
  #hasSpoken = false;

  /** Both sockets are paused, and the handshake has been answered with 101. */
  constructor(client: Duplex, replica: Socket, options: TunnelOptions) {
    this.#client = client;
    this.#replica = replica;
    this.#options = options;
    const onClose = (): void => this.#onClose();
    const onClientEnd = (): void => this.#endOther(replica);
    const onReplicaEnd = (): void => this.#endOther(client);
    // What the one that is left still says is thrown away, so that its end is seen.
    const onClientClose = (): void => {
      onClientEnd();
      replica.resume();
      onClose();
    };
    const onReplicaClose = (): void => {
      onReplicaEnd();
      client.resume();
      onClose();
    };
    // An error is followed by "close", which does all that is needed. Whoever made the sockets hears their errors.
    client
      .on("data", (chunk: Buffer) => this.#toAgent(chunk))
      .on("drain", () => replica.resume())
      .on("end", onClientEnd)
      .on("close", onClientClose);
    replica
      .on("data", (chunk: Buffer) => this.#toClient(chunk))
      .on("drain", () => client.resume())
      .on("end", onReplicaEnd)
      .on("close", onReplicaClose);
    // One side may have closed before anybody listened.
    if (client.closed) onClientClose();
    if (replica.closed) onReplicaClose();
  }

  /** Begins to pass bytes on: first those that came together with the handshake. */
  start(fromClient: Buffer, fromReplica: Buffer): void {
    if (fromClient.length > 0) this.#toAgent(fromClient);
    if (fromReplica.length > 0) this.#toClient(fromReplica);
    if (!this.#replica.writableNeedDrain) this.#client.resume();
    if (!this.#client.writableNeedDrain) this.#replica.resume();
  }

  /** Whether nothing has come from the agent since this was asked last. */
  takeQuiet(): boolean {
    const isQuiet = !this.#hasSpoken;
    this.#hasSpoken = false;
    return isQuiet;
  }

  /** Whether the client was told that the connection ends, or is about to be. */
  get isEnding(): boolean {
    return this.#lastFrame !== undefined;
  }

  /** Tells the client why the connection ends, once the frame that is under way is whole, and ends it. The reason has 123 bytes at most. */
  close(code: number, reason: string): void {
    if (this.#lastFrame !== undefined) return;
    this.#lastFrame = closeFrame(code, reason);
    this.#closeAtBoundary();
  }

  destroy(): void {
    this.#client.destroy();
    this.#replica.destroy();
  }

  #toAgent(chunk: Buffer): void {
    this.#options.onBytes?.("to-agent", chunk.length);
    if (this.#replica.writable && !this.#replica.write(chunk)) this.#client.pause();
  }

  #toClient(chunk: Buffer): void {
    // The client was told that nothing more comes.
    if (this.#isClosing) return;
    this.#hasSpoken = true;
    this.#options.onBytes?.("to-client", chunk.length);
    this.#boundary.pass(chunk);
    if (this.#client.writable && !this.#client.write(chunk)) this.#replica.pause();
    if (this.#lastFrame !== undefined) this.#closeAtBoundary();
  }

  #closeAtBoundary(): void {
    if (this.#lastFrame === undefined || this.#isClosing || !this.#boundary.isHere) return;
    this.#isClosing = true;
    if (this.#client.writable) this.#client.write(this.#lastFrame);
    // What the client still says goes to the agent, until the client ends too.
    this.#endOther(this.#client);
    this.#replica.resume();
  }

  /** One direction has ended. What is under way gets a while to arrive, and the other direction a while to end. */
  #endOther(other: Duplex): void {
    if (this.#isOver) return;
    other.end();
    this.#halfClosed ??= systemClock.setTimer(this.#options.halfClosedMs, () => this.destroy());
  }

  #onClose(): void {
    if (this.#isOver || !this.#client.closed || !this.#replica.closed) return;
    this.#isOver = true;
    this.#halfClosed?.cancel();
    this.#options.onEnd();
  }
}
