/** What carries frames between a client and a server: one WebSocket after the other. A program passes in its own. */
import type { ClientError } from "./client-error.ts";

export interface Transport {
  /**
   * Opens a connection. What `open` returns may be used before there is a connection: what is sent then is lost. A
   * transport that can tell a dead line from a silent one (by pings) ends the connection itself.
   */
  open(url: string, events: ConnectionEvents): ClientConnection;
}

export interface ConnectionEvents {
  /** A text frame, in order. */
  onText(text: string): void;
  /** Once, whether or not there ever was a connection. */
  onEnd(end: ConnectionEnd): void;
}

export interface ConnectionEnd {
  /** The close code; 1006 where there was none. */
  readonly code: number;
  /** Why there was no connection, where the transport knows more than the code says. */
  readonly error?: ClientError | undefined;
}

export interface ClientConnection {
  /** A failure shows as the end of the connection. */
  send(text: string): void;
  close(): void;
}
