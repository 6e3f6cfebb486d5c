/**
 * Operations on files that are given up after a time, because a file system of a network may never answer. One that was given up
 * still holds one of the few threads of the process, so it is not begun again before it has come back.
 */
import { constants } from "node:fs";
import { lstat, open, readdir, realpath, stat } from "node:fs/promises";
import type { Clock } from "../../time/clock.ts";
import { untilAborted } from "../../time/until-aborted.ts";
import { LATE, within } from "../../time/within.ts";

/** How long one operation may take. */
export const FILE_TIMEOUT_MS = 10_000;
/** With so many operations that never came back, no other is begun. Node.js has four threads, and others need some too. */
const MAX_HANGING = 2;

/** The part of `node:fs/promises` that is used. */
export interface FileSystem {
  readonly lstat: typeof lstat;
  readonly open: typeof open;
  readonly readdir: (path: string) => Promise<string[]>;
  readonly realpath: (path: string) => Promise<string>;
  readonly stat: typeof stat;
}

const NODE_FILE_SYSTEM: FileSystem = { lstat, open, readdir, realpath, stat };

/** `code` is that of the system, or one of those below. */
export class FileError extends Error {
  override readonly name = "FileError";
  readonly code: string;

  constructor(code: string, options?: ErrorOptions) {
    super(`the file cannot be read (${code})`, options);
    this.code = code;
  }
}

/** The operation did not come back in time. */
export const HANGS = "HANGS";
/** There is something, but neither a file nor a folder. */
export const NO_FILE = "NO_FILE";

export class PatientFiles {
  readonly #clock: Pick<Clock, "setTimer">;
  readonly #signal: AbortSignal;
  readonly #system: FileSystem;
  readonly #hanging = new Set<string>();

  /** When `signal` is aborted, whatever goes on rejects with its reason. */
  constructor(
    clock: Pick<Clock, "setTimer">,
    signal: AbortSignal,
    system: FileSystem = NODE_FILE_SYSTEM,
  ) {
    this.#clock = clock;
    this.#signal = signal;
    this.#system = system;
  }

  /** Whether an operation has not come back yet. Node.js would wait for it before it ends. */
  get isHanging(): boolean {
    return this.#hanging.size > 0;
  }

  /** What stands at `path`, following links. Rejects with a FileError. */
  async kindOf(path: string): Promise<{ kind: "file" | "folder" | "other"; stamp: string }> {
    const stats = await this.#run(path, () => this.#system.stat(path));
    const kind = stats.isFile() ? "file" : stats.isDirectory() ? "folder" : "other";
    const { mtimeMs, ctimeMs, size, ino } = stats;
    return { kind, stamp: [mtimeMs, ctimeMs, size, ino].join(" ") };
  }

  async isLink(path: string): Promise<boolean> {
    return (await this.#run(path, () => this.#system.lstat(path))).isSymbolicLink();
  }

  async namesIn(folder: string): Promise<string[]> {
    return await this.#run(folder, () => this.#system.readdir(folder));
  }

  async realPath(path: string): Promise<string> {
    return await this.#run(path, () => this.#system.realpath(path));
  }

  /** The text of a file, or its first `maxBytes` + 1 bytes. What is no file is refused without waiting for it. */
  async read(path: string, maxBytes: number): Promise<string> {
    return await this.#run(path, async () => {
      // Without this flag, opening a named pipe waits for somebody who writes to it.
      const file = await this.#system.open(path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        const stats = await file.stat();
        if (!stats.isFile()) throw new FileError(stats.isDirectory() ? "EISDIR" : NO_FILE);
        const buffer = Buffer.alloc(Math.min(stats.size, maxBytes) + 1);
        let length = 0;
        while (length < buffer.length) {
          const { bytesRead } = await file.read(buffer, length, buffer.length - length);
          if (bytesRead === 0) break;
          length += bytesRead;
        }
        return buffer.toString("utf8", 0, length);
      } finally {
        await file.close();
      }
    });
  }

  async #run<T>(path: string, begin: () => Promise<T>): Promise<T> {
    this.#signal.throwIfAborted();
    if (this.#hanging.has(path) || this.#hanging.size >= MAX_HANGING) throw new FileError(HANGS);
    let isOver = false;
    const work = begin().finally(() => {
      isOver = true;
      this.#hanging.delete(path);
    });
    try {
      const result = await untilAborted(within(FILE_TIMEOUT_MS, work, this.#clock), this.#signal);
      if (result === LATE) throw new FileError(HANGS);
      return result;
    } catch (error) {
      if (error instanceof FileError || this.#signal.aborted) throw error;
      throw new FileError((error as NodeJS.ErrnoException).code ?? "unknown", { cause: error });
    } finally {
      if (!isOver) this.#hanging.add(path);
    }
  }
}
