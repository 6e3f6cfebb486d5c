import type { OutputFormat } from "../terminal/streams.ts";

export interface ConsoleFlags {
  readonly local?: boolean | undefined;
  /** The folder of the state of an `omnia up`. */
  readonly state?: string | undefined;
  readonly context?: string | undefined;
  /** The port of this machine that leads to the gateway of a cluster. */
  readonly port?: number | undefined;
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly open: boolean;
  readonly output: OutputFormat;
}
