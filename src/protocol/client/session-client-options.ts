/** What a program that talks in a session passes to the client of the protocol. */
import type { ServerFrame } from "../frames.ts";
import type { ClientError } from "./client-error.ts";
import type { ReconnectPolicy } from "./reconnect-policy.ts";
import type { ClientClock } from "./reconnecting-line.ts";
import type { TokenProvider, Transport } from "./transport.ts";

export interface SessionClientOptions {
  /** Its query holds agent and namespace, where the server asks for them. */
  readonly url: string;
  readonly transport: Transport;
  /** Where the token of each connection comes from. When the server closes one with 4401, it is asked for another. */
  readonly token?: TokenProvider | undefined;
  readonly clock: ClientClock;
  /** Returns a number of at least 0 and below 1. */
  readonly random: () => number;
  /** Returns a text that no other message has. */
  readonly newMessageId: () => string;
  /** The session to go on with. */
  readonly sessionId?: string | undefined;
  /** The `seq` of that session after which the frames are wanted. Without it the client begins with the frames to come. */
  readonly after?: number | undefined;
  /**
   * Called once for every frame, in order. `text` is the frame as received. `frame` is `undefined` for a type of a later protocol.
   * `isOwn` is true for frames of the connection and of turns that this client began. Other clients may talk in the session too.
   */
  readonly onFrame: (frame: ServerFrame | undefined, text: string, isOwn: boolean) => void;
  /** Called with `lost` when an awaited answer is held up for a while, and with `back` when that is over. */
  readonly onHeldUp?: (state: "lost" | "back") => void;
  /** Called when the first connection could not be made and is tried again. `error` says why. */
  readonly onOpeningLate?: (error: ClientError) => void;
  /** Called when the connection is there, lost, or not tried again until something is asked for. */
  readonly onLine?: ((state: LineState) => void) | undefined;
  readonly policy?: Partial<ReconnectPolicy>;
}

export type LineState =
  | { readonly type: "open" }
  /** It is tried again by itself. */
  | { readonly type: "lost"; readonly error: ClientError }
  | { readonly type: "given-up"; readonly error: ClientError };
