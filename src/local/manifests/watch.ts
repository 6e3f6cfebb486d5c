/** Follows manifests: gives their state now, and again whenever it has changed. */
import { watch, type FSWatcher } from "node:fs";
import type { Clock } from "../../time/clock.ts";
import { losesResources, readManifests, type ManifestState } from "./last-good-manifests.ts";
import { ManifestParser } from "./manifest-parser.ts";
import type { PatientFiles } from "./patient-files.ts";
import { Wake } from "../../time/wake.ts";

/** After a change, the files are read once no other change has come for this long, because an editor saves in several steps. */
const QUIET_MS = 100;
/** A resource counts as gone when it is still missing after this time. */
const CONFIRM_LOSS_MS = 500;
/** Files that change all the time are taken as they are after so many readings. */
const MAX_READS = 20;
/**
 * The files are read after this time even if the system told of no change. The file systems of networks and virtual machines tell
 * of none, and a link in a folder may lead to a file that changes elsewhere.
 */
const POLL_MS = 2_000;
const POLL_MS_PER_FILE = 5;
/** So many folders are watched at most. Changes in other folders are found by polling. */
const MAX_WATCHED_FOLDERS = 256;

/**
 * Gives the first state at once, or rejects with an UpError. Ends when the signal is aborted, whatever the files do: `patientFiles`
 * must have the same signal.
 */
export async function* watchManifests({
  paths,
  patientFiles,
  clock,
  signal,
}: {
  paths: readonly string[];
  patientFiles: PatientFiles;
  clock: Clock;
  signal: AbortSignal;
}): AsyncGenerator<ManifestState, void, undefined> {
  const changed = new Wake();
  const parser = new ManifestParser({ clock, signal });
  using folders = new WatchedFolders(() => changed.raise());
  // The watch begins before the reading, so that a change in between is noticed.
  const first = await read();
  if (first === undefined) return;
  let state = first;
  folders.follow(state.listing.folders);
  changed.raise();
  yield state;
  while (!signal.aborted) {
    const poll = clock.setTimer(pollInterval(state), () => changed.raise());
    await changed.wait(signal);
    poll.cancel();
    if (signal.aborted) return;
    let next = await read(state);
    if (next === undefined) return;
    if (next === state) continue;
    next = await settle(state, next);
    folders.follow(next.listing.folders);
    if (next === state) continue;
    state = next;
    if (!signal.aborted) yield state;
  }

  /** Resolves to `undefined` when the signal was aborted meanwhile. */
  async function read(before?: ManifestState): Promise<ManifestState | undefined> {
    try {
      return await readManifests(paths, { patientFiles, parser }, before);
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
  }

  /** Reads until nothing changes any more. Each reading begins from the last state that was given. */
  async function settle(before: ManifestState, first: ManifestState): Promise<ManifestState> {
    let last = first;
    for (let reads = 1; reads < MAX_READS && !signal.aborted; reads += 1) {
      const wait = losesResources(before, last) ? CONFIRM_LOSS_MS : QUIET_MS;
      await clock.sleep(wait, signal).catch(() => {});
      const again = (await read(before)) ?? last;
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
      // The folder was removed, or a limit of the system was reached. Polling finds the changes then.
      watcher.on("error", () => this.#unwatch(folder, watcher));
      this.#watchers.set(folder, watcher);
    } catch {
      // Polling finds the changes here too.
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
