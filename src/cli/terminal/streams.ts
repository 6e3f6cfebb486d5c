import type { Readable } from "node:stream";
import type { Output } from "../../observability/terminal/writer.ts";

/** What a command reads from and writes to. `process` has this form. */
export interface Streams {
  readonly stdin: Readable & { isTTY?: boolean };
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export type OutputFormat = "text" | "json";
