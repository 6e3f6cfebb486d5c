import { WebSocket } from "ws";
import type { Connection } from "./connection.ts";

/**
 * The socket of a client, which knows its connection: so that all sockets share their listeners. There are many, and most
 * of them are idle.
 */
export class ClientSocket extends WebSocket {
  connection: Connection | undefined;
}
