/** Follows manifests: their state now, and again whenever it is another one. */
import { watch, type FSWatcher } from "node:fs";
import type { Clock } from "../../time/clock.ts";
import { losesResources, readManifests, type ManifestState } from "./read.ts";
import { Wake } from "../../time/wake.ts";

/** After a change, until no other has come for this long. An editor saves in several steps. */
const QUIET_MS = 100;
/** A resource that is gone is believed to be when it still is after this. */
const CONFIRM_LOSS_MS = 500;
/** A file that never comes to rest is taken as it is. */
const MAX_READS = 20;
/**
 * Looked at also without a notice: network and virtual machine file systems give none, and a link in a folder may lead
 * to a file that changes elsewhere.
 */
const POLL_MS = 2_000;
const POLL_MS_PER_FILE = 5;
/** Beyond it changes are found by polling. */
const MAX_WATCHED_FOLDERS = 256;

/** The first state comes at once, or rejects with an UpError. Ends when `signal` aborts. */
export async function* watchManifests({
  paths,
  clock,
  signal,
}: {
  paths: readonly string[];
  clock: Clock;
  signal: AbortSignal;
}): AsyncGenerator<ManifestState, void, undefined> {
  const changed = new Wake();
  using folders = new WatchedFolders(() => changed.raise());
  // Watched before they are read: what changes in between is noticed.
  let state = await readManifests(paths);
  folders.follow(state.listing.folders);
  changed.raise();
  yield state;
  while (!signal.aborted) {
    const poll = clock.setTimer(pollInterval(state), () => changed.raise());
    await changed.wait(signal);
    poll.cancel();
    if (signal.aborted) return;
    let next = await readManifests(paths, state);
    if (next === state) continue;
    next = await settle(state, next);
    folders.follow(next.listing.folders);
    if (next === state) continue;
    state = next;
    if (!signal.aborted) yield state;
  }

  /** Reads until nothing changes any more. Always from the last state that was believed. */
  async function settle(before: ManifestState, first: ManifestState): Promise<ManifestState> {
    let last = first;
    for (let reads = 1; reads < MAX_READS && !signal.aborted; reads += 1) {
      const wait = losesResources(before, last) ? CONFIRM_LOSS_MS : QUIET_MS;
      await clock.sleep(wait, signal).catch(() => {});
      const again = await readManifests(paths, before);
      if (isSameFiles(again, last)) return again;
      last = again;
    }
    return last;
  }
}

function pollInterval({ files }: ManifestState): number {
  return Math.max(POLL_MS, files.size * POLL_MS_PER_FILE);
}

function isSameFiles(a: ManifestState, b: ManifestState): boolean {
  const stamps = ({ files }: ManifestState): string =>
    JSON.stringify([...files].map(([path, { stamp }]) => [path, stamp]));
  return stamps(a) === stamps(b);
}

class WatchedFolders implements Disposable {
  readonly #onChange: () => void;
  readonly #watchers = new Map<string, FSWatcher>();

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  follow(folders: readonly string[]): void {
    const wanted = new Set(folders.slice(0, MAX_WATCHED_FOLDERS));
    for (const [folder, watcher] of this.#watchers) {
      if (!wanted.has(folder)) this.#unwatch(folder, watcher);
    }
    for (const folder of wanted) if (!this.#watchers.has(folder)) this.#watch(folder);
  }

  #watch(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, this.#onChange);
      // A folder that is removed, or a limit of the system: then polling finds what changes.
      watcher.on("error", () => this.#unwatch(folder, watcher));
      this.#watchers.set(folder, watcher);
    } catch {
      // As above.
    }
  }

  #unwatch(folder: string, watcher: FSWatcher): void {
    watcher.close();
    if (this.#watchers.get(folder) === watcher) this.#watchers.delete(folder);
  }

  [Symbol.dispose](): void {
    for (const [folder, watcher] of this.#watchers) this.#unwatch(folder, watcher);
  }
}
