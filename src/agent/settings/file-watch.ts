import { watch, type FSWatcher } from "node:fs";
import type { Clock, Timer } from "../../time/clock.ts";
import { FILE_SETTLE_MS } from "../contracts/limits.ts";

/**
 * Calls back when something may have changed in a set of folders. Folders are watched and not files, since a file is replaced
 * by a rename, and in a cluster by the swap of a symbolic link beside it. It also calls back at an interval, for systems where
 * watching does not work and for folders that are made later.
 */
export class FileWatch {
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #watchers = new Map<string, FSWatcher>();
  #folders: ReadonlySet<string> = new Set();
  #pollMs: number;
  #pollTimer: Timer | undefined;
  #settleTimer: Timer | undefined;
  #isClosed = false;

  constructor(options: { clock: Clock; pollMs: number; onChange: () => void }) {
    this.#clock = options.clock;
    this.#onChange = options.onChange;
    this.#pollMs = options.pollMs;
    this.#poll();
  }

  /** From now on watches these folders and no others. A folder that is not there yet is found when it is made. */
  watch(folders: Iterable<string>, pollMs: number): void {
    if (this.#isClosed) return;
    this.#folders = new Set(folders);
    for (const [folder, watcher] of this.#watchers) {
      if (this.#folders.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    this.#renewWatchers();
    if (pollMs !== this.#pollMs) {
      this.#pollMs = pollMs;
      this.#poll();
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#pollTimer?.cancel();
    this.#settleTimer?.cancel();
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  /**
   * A watcher stays with the folder that was found when it was made. Where the path leads over a symbolic link, as to a file of a
   * projected volume, another folder takes the place of that one with each change, so the watchers are made again each time.
   */
  #renewWatchers(): void {
    for (const folder of this.#folders) {
      const before = this.#watchers.get(folder);
      try {
        const watcher = watch(folder, () => this.#onEvent());
        watcher.on("error", () => this.#forget(folder, watcher));
        this.#watchers.set(folder, watcher);
        before?.close();
      } catch {
        // The folder is not there, or this machine has no watches left. The poll notices changes all the same.
      }
    }
  }

  #forget(folder: string, watcher: FSWatcher): void {
    watcher.close();
    if (this.#watchers.get(folder) === watcher) this.#watchers.delete(folder);
  }

  #onEvent(): void {
    this.#settleTimer ??= this.#clock.setTimer(FILE_SETTLE_MS, () => {
      this.#settleTimer = undefined;
      // It comes before the callback, so that what changes while files are read is noticed.
      this.#renewWatchers();
      this.#onChange();
    });
  }

  #poll(): void {
    this.#pollTimer?.cancel();
    this.#pollTimer = this.#clock.setTimer(this.#pollMs, () => {
      this.#renewWatchers();
      this.#onChange();
      this.#poll();
    });
  }
}
