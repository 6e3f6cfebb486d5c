import { WebSocket } from "ws";

/** What a socket tells its connection of. */
export interface SocketListener {
  onMessage(data: Buffer, isBinary: boolean): void;
  onPong(): void;
  onClose(): void;
}

/**
 * The socket of a client, which knows its connection: so that all sockets share their listeners. There are many, and most
 * of them are idle.
 */
export class ClientSocket extends WebSocket {
  connection: SocketListener | undefined;
}
