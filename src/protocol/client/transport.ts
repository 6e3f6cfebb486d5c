/** Opens the connections that carry frames between a client and a server. Each program passes in its own transport. */
import type { ClientError } from "./client-error.ts";

/**
 * Gives the token for a connection, and is asked before each. `isRefused` is true when the server did not accept, or accepts no
 * longer, what the last connection was made with; a token that was kept should then be fetched or read again.
 */
export type TokenProvider = (isRefused: boolean) => Token | Promise<Token>;
export type Token = string | undefined;

export interface Transport {
  /**
   * Opens a connection, with the token if there is one. The returned object may be used before the connection is made, but what is sent then is lost. A
   * transport that can tell a dead connection from a silent one (by pings) ends a dead one itself.
   */
  open(url: string, events: ConnectionEvents, token?: string): ClientConnection;
}

export interface ConnectionEvents {
  /** Called for each text frame, in order. */
  onText(text: string): void;
  /** Called once, whether or not there ever was a connection. */
  onEnd(end: ConnectionEnd): void;
}

export interface ConnectionEnd {
  /** The close code, or 1006 when there was none. */
  readonly code: number;
  /** What the server says of why it closed the connection. */
  readonly reason?: string | undefined;
  /** Why there was no connection, when the transport knows more than the code says. */
  readonly error?: ClientError | undefined;
}

export interface ClientConnection {
  /** The end of the connection tells of a failure. */
  send(text: string): void;
  close(): void;
}
