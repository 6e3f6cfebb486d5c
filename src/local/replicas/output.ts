/** Keeps what a replica prints in a file of limited size, and hands it on line by line. */
import { mkdir, open, rename, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import type { Readable } from "node:stream";

/** A file of this size is renamed to `<file>.1`, in place of the one before, and a new file begins. */
export const MAX_LOG_BYTES = 4 * 1024 * 1024;
/** A longer line is handed on in part. The file gets all of it. */
const MAX_LINE_LENGTH = 16 * 1024;

/**
 * Copies the streams into the file and hands on their lines. Resolves when all streams have ended. When the file cannot be
 * written, output is lost, but the process that prints it is never stopped.
 */
export async function keepOutput(
  streams: readonly Readable[],
  file: string,
  onLine: (line: string) => void,
): Promise<void> {
  await using log = new LogFile(file);
  await Promise.all(
    streams.map(async (stream) => {
      const lines = new LineSplitter(onLine);
      try {
        for await (const chunk of stream as AsyncIterable<Buffer>) {
          lines.add(chunk.toString("utf8"));
          await log.write(chunk);
        }
      } catch {
        // A pipe that breaks counts as one that has ended.
      }
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

  write(chunk: Buffer): Promise<void> {
    this.#writing = this.#writing.then(() => this.#append(chunk)).catch(() => {});
    return this.#writing;
  }

  async #append(chunk: Buffer): Promise<void> {
    if (this.#handle !== undefined && this.#size + chunk.length > MAX_LOG_BYTES) {
      await this.#close();
      await rename(this.#file, `${this.#file}.1`);
    }
    if (this.#handle === undefined) {
      await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
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
    this.#rest = (lines.pop() ?? "").slice(0, MAX_LINE_LENGTH);
    for (const line of lines) this.#onLine(line.slice(0, MAX_LINE_LENGTH));
  }

  end(): void {
    if (this.#rest !== "") this.#onLine(this.#rest);
    this.#rest = "";
  }
}
