/** Makes lines of the log of what a runtime prints. */
import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import type { Log } from "../../observability/log.ts";
import { SecretFilter } from "../../observability/secrets/secret-filter.ts";
import type { SecretValues } from "../../observability/secrets/secret-values.ts";
import { withoutSecretsOfCut } from "../../observability/secrets/without-secrets.ts";
import { MAX_RUNTIME_LINE_CHARACTERS } from "../contracts/limits.ts";

export interface RuntimeOutputOptions {
  readonly output: "stdout" | "stderr";
  readonly log: Log;
  readonly secretValues: SecretValues;
}

/** Settles when the stream has ended. It is read only as fast as the log is written. */
export async function logRuntimeOutput(
  stream: Readable,
  { output, log, secretValues }: RuntimeOutputOptions,
): Promise<void> {
  const decoder = new StringDecoder("utf8");
  const filter = new SecretFilter(secretValues);
  let line = "";
  const write = (): void => {
    const text = line.trimEnd();
    line = "";
    if (text === "") return;
    const isCut = text.length > MAX_RUNTIME_LINE_CHARACTERS;
    const shown = isCut ? withoutSecretsOfCut(text.slice(0, MAX_RUNTIME_LINE_CHARACTERS)) : text;
    log.info({ runtime: output, line: shown }, "The runtime printed a line");
  };
  const take = (text: string): void => {
    const [first = "", ...rest] = text.split("\n");
    keep(first);
    for (const next of rest) {
      write();
      keep(next);
    }
  };
  /** One character more than a line may have says that it was cut. */
  function keep(text: string): void {
    line += text.slice(0, Math.max(0, MAX_RUNTIME_LINE_CHARACTERS + 1 - line.length));
  }
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      take(filter.add(decoder.write(chunk)));
    }
  } catch {
    // A pipe that breaks counts as one that has ended.
  }
  take(filter.add(decoder.end()) + filter.end());
  write();
}
