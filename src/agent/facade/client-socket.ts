import { WebSocket } from "ws";

/** What a socket calls when something happens. */
export interface SocketListener {
  onMessage(data: Buffer, isBinary: boolean): void;
  onPong(): void;
  onClose(): void;
}

/**
 * The socket of a client, which knows its connection. So the listeners need no closure for each socket: there are many
 * sockets, and most of them are idle.
 */
export class ClientSocket extends WebSocket {
  connection: SocketListener | undefined;
}
