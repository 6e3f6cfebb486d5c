/** Keeps what a replica prints in a file of limited size, and hands it on line by line. */
import { open, rename, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { SecretFilter } from "../../observability/secrets/secret-filter.ts";
import type { SecretValues } from "../../observability/secrets/secret-values.ts";
import { withoutSecretsOfCut } from "../../observability/secrets/without-secrets.ts";
import { makeFolder } from "../state/make-folder.ts";

/** A file of this size is renamed to `<file>.1`, in place of the one before, and a new file begins. */
export const MAX_LOG_BYTES = 4 * 1024 * 1024;
/** A longer line is handed on in part. The file gets all of it. */
const MAX_LINE_LENGTH = 16 * 1024;

export interface OutputOptions {
  readonly file: string;
  readonly onLine: (line: string) => void;
  /** Hidden in the file as in the lines. */
  readonly secretValues: SecretValues;
}

/**
 * Copies the streams into the file and hands on their lines. Resolves when all streams have ended. When the file cannot be
 * written, output is lost, but the process that prints it is never stopped.
 */
export async function keepOutput(
  streams: readonly Readable[],
  { file, onLine, secretValues }: OutputOptions,
): Promise<void> {
  await using log = new LogFile(file);
  await Promise.all(
    streams.map(async (stream) => {
      const lines = new LineSplitter(onLine);
      const decoder = new StringDecoder("utf8");
      const filter = new SecretFilter(secretValues);
      const take = async (text: string): Promise<void> => {
        if (text === "") return;
        lines.add(text);
        await log.write(text);
      };
      try {
        for await (const chunk of stream as AsyncIterable<Buffer>) {
          await take(filter.add(decoder.write(chunk)));
        }
      } catch {
        // A pipe that breaks counts as one that has ended.
      }
      await take(filter.add(decoder.end()) + filter.end());
      lines.end();
    }),
  );
}

class LogFile implements AsyncDisposable {
  readonly #file: string;
  #handle: FileHandle | undefined;
  #size = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(file: string) {
    this.#file = file;
  }

  write(text: string): Promise<void> {
    this.#writing = this.#writing.then(() => this.#append(Buffer.from(text))).catch(() => {});
    return this.#writing;
  }

  async #append(chunk: Buffer): Promise<void> {
    if (this.#handle !== undefined && this.#size + chunk.length > MAX_LOG_BYTES) {
      await this.#close();
      await rename(this.#file, `${this.#file}.1`);
    }
    if (this.#handle === undefined) {
      await makeFolder(dirname(this.#file), 0o700);
      this.#handle = await open(this.#file, "a", 0o600);
      this.#size = (await this.#handle.stat()).size;
    }
    await this.#handle.appendFile(chunk);
    this.#size += chunk.length;
  }

  async #close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
    await this.#close();
  }
}

class LineSplitter {
  readonly #onLine: (line: string) => void;
  #rest = "";

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  add(text: string): void {
    const lines = text.split("\n");
    lines[0] = this.#rest + (lines[0] ?? "");
    // One character more says that the line was cut.
    this.#rest = (lines.pop() ?? "").slice(0, MAX_LINE_LENGTH + 1);
    for (const line of lines) this.#handOn(line);
  }

  end(): void {
    if (this.#rest !== "") this.#handOn(this.#rest);
    this.#rest = "";
  }

  #handOn(line: string): void {
    const isCut = line.length > MAX_LINE_LENGTH;
    this.#onLine(isCut ? withoutSecretsOfCut(line.slice(0, MAX_LINE_LENGTH)) : line);
  }
}
