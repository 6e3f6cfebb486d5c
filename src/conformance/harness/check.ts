/** A check of the protocol is a sentence that is true of an endpoint or not. It finds out over connections of its own. */
import type { ProbeConnection } from "./probe-connection.ts";

/** What is known about the agent behind an endpoint. An `unknown` one most likely has a model. */
export const HANDLER_HINTS = ["echo", "demo", "unknown"] as const;
export type HandlerHint = (typeof HANDLER_HINTS)[number];

export interface Check {
  /** Says what the endpoint does. It completes a sentence that begins with "The endpoint". */
  readonly name: string;
  /** The heading in docs/protocol.md under which this is written. */
  readonly section: string;
  /** Rejects with a CheckFailed or a CheckSkipped. Any other error counts as a failure too. */
  run(context: CheckContext): Promise<void>;
}

export interface CheckContext {
  readonly handler: HandlerHint;
  readonly hasToken: boolean;
  /** The path of the address that was given. */
  readonly path: string;
  /** Opens a connection, which is closed after the check. The check fails when the connection is refused. */
  connect(options?: ConnectOptions): Promise<ProbeConnection>;
  /** Settles with the HTTP status with which a connection is refused, or with `undefined` when it is let in. */
  refusal(options?: ConnectOptions): Promise<number | undefined>;
}

export interface ConnectOptions {
  readonly query?: Readonly<Record<string, string>>;
  readonly path?: string;
  /** Replaces the token that was given. With `null`, no token is sent. */
  readonly token?: string | null;
}
