/**
 * Which PromptPacks run an earlier version than the one in their files, until that changes. `omnia packs rollback` writes it, and the
 * `omnia up` of the state folder obeys.
 *
 *     <folder>/<hash of namespace and name>.json
 */
import { watch } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { contentHash } from "../../promptpack/document/content-hash.ts";
import type { Clock } from "../../time/clock.ts";
import { Wake } from "../../time/wake.ts";
import {
  listIfThere,
  makePrivateFolder,
  readJSONIfThere,
  writePrivateFile,
} from "./private-files.ts";

/** The folder is read after this time even if the system told of no change. */
const POLL_MS = 2_000;
const SUFFIX = ".json";

const rollbackSchema = z.object({
  namespace: z.string(),
  name: z.string(),
  /** The hash of the version to run. */
  version: z.string(),
  /** The hash of the content in whose place it runs. */
  source: z.string(),
});

export interface PackRollback {
  readonly version: string;
  readonly source: string;
}

interface PackName {
  readonly namespace: string;
  readonly name: string;
}

export class PackRollbacks {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  static of(stateFolder: string): PackRollbacks {
    return new PackRollbacks(join(stateFolder, "rollbacks"));
  }

  async read(pack: PackName): Promise<PackRollback | undefined> {
    const read = await readJSONIfThere(this.#fileOf(pack), rollbackSchema);
    return read?.namespace === pack.namespace && read.name === pack.name ? read : undefined;
  }

  async write({ namespace, name }: PackName, rollback: PackRollback): Promise<void> {
    const { version, source } = rollback;
    const text = JSON.stringify({ namespace, name, version, source });
    await writePrivateFile(this.#fileOf({ namespace, name }), text);
  }

  async remove(pack: PackName): Promise<void> {
    await rm(this.#fileOf(pack), { force: true });
  }

  /** Calls `onChange` whenever a rollback was written or removed. Resolves when the signal is aborted. */
  async follow(onChange: () => void, clock: Clock, signal: AbortSignal): Promise<void> {
    const changed = new Wake();
    // Without the folder, polling tells of nothing until somebody makes it.
    await makePrivateFolder(this.#folder).catch(() => {});
    using _watcher = this.#watch(() => changed.raise());
    // What is there already may have come after the files were read for the first time.
    let before = "";
    changed.raise();
    while (!signal.aborted) {
      const poll = clock.setTimer(POLL_MS, () => changed.raise());
      await changed.wait(signal);
      poll.cancel();
      const now = await this.#stamps();
      if (now !== before && !signal.aborted) onChange();
      before = now;
    }
  }

  #watch(onChange: () => void): Disposable {
    try {
      const watcher = watch(this.#folder, { persistent: false }, onChange);
      const close = (): void => watcher.close();
      // A limit of the system was reached. Polling finds the changes then.
      watcher.on("error", close);
      return { [Symbol.dispose]: close };
    } catch {
      return { [Symbol.dispose]: () => {} };
    }
  }

  async #stamps(): Promise<string> {
    const names = (await listIfThere(this.#folder)).filter((name) => name.endsWith(SUFFIX));
    const stamps = await Promise.all(
      names.toSorted().map(async (name) => {
        const facts = await stat(join(this.#folder, name)).catch(() => undefined);
        return `${name} ${facts?.mtimeMs} ${facts?.ino}`;
      }),
    );
    return stamps.join("\n");
  }

  #fileOf({ namespace, name }: PackName): string {
    return join(this.#folder, `${contentHash([namespace, name])}${SUFFIX}`);
  }
}
