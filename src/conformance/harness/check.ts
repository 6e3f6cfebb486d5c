/** What a check of the protocol is: a sentence that an endpoint fulfils or not, looked into over connections of its own. */
import type { ProbeConnection } from "./probe-connection.ts";

/** What is known of the agent behind an endpoint; `unknown` is one with a model, most likely. */
export const HANDLER_HINTS = ["echo", "demo", "unknown"] as const;
export type HandlerHint = (typeof HANDLER_HINTS)[number];

export interface Check {
  /** What the endpoint does, in a sentence that begins after "The endpoint". */
  readonly name: string;
  /** The heading of docs/protocol.md that says so. */
  readonly section: string;
  /** Rejects with a CheckFailed or a CheckSkipped; with anything else when the check itself is at fault. */
  run(context: CheckContext): Promise<void>;
}

export interface CheckContext {
  readonly handler: HandlerHint;
  readonly hasToken: boolean;
  /** The path of the address that was given. */
  readonly path: string;
  /** Opens a connection, which is closed after the check. Fails the check when it is refused. */
  connect(options?: ConnectOptions): Promise<ProbeConnection>;
  /** The HTTP status with which a connection is refused; undefined when it is let in. */
  refusal(options?: ConnectOptions): Promise<number | undefined>;
}

export interface ConnectOptions {
  readonly query?: Readonly<Record<string, string>>;
  readonly path?: string;
  /** Instead of the token that was given; `null` sends none. */
  readonly token?: string | null;
}
