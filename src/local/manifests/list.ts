/** Lists the files that hold manifests: those that are named, and in folders those whose names end like that of a manifest. */
import type { Stats } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { dirname, extname, join } from "node:path";

const EXTENSIONS = new Set([".yaml", ".yml", ".json"]);
/** Folders that are never read. Nor is any whose name begins with a dot. */
const SKIPPED_FOLDERS = new Set(["node_modules"]);
export const MAX_FILES = 2_000;
const MAX_DEPTH = 32;

export interface ManifestFile {
  /** The path as it was named, or below the folder that was named. */
  path: string;
  /** It changes when the file may hold something else. */
  stamp: string;
}

export interface ManifestListing {
  files: ManifestFile[];
  /** The folders and files whose changes can change the listing. */
  folders: string[];
  /** The paths that are named and do not exist. */
  missing: string[];
  /** Whether there are more files than are read. */
  tooMany: boolean;
}

export async function listManifestFiles(paths: readonly string[]): Promise<ManifestListing> {
  const walk = new Walk();
  for (const path of paths) await walk.addNamed(path);
  return walk.listing;
}

class Walk {
  readonly listing: ManifestListing = { files: [], folders: [], missing: [], tooMany: false };
  /** Real paths, so that a file that is reached twice is read once, and a folder that leads back to itself is left. */
  readonly #seen = new Set<string>();

  async addNamed(path: string): Promise<void> {
    const kind = await this.#addIfFile(path, true);
    if (kind === "folder") await this.#addFolder(path, 0);
    else this.listing.folders.push(dirname(path));
    if (kind === "absent") this.listing.missing.push(path);
  }

  async #addFolder(folder: string, depth: number): Promise<void> {
    if (depth > MAX_DEPTH || (await this.#wasSeen(folder))) return;
    this.listing.folders.push(folder);
    let names: string[];
    try {
      names = await readdir(folder);
    } catch {
      // Since it was listed, it was deleted or made unreadable for us.
      return;
    }
    for (const name of names.toSorted()) {
      if (name.startsWith(".") || SKIPPED_FOLDERS.has(name)) continue;
      const path = join(folder, name);
      const kind = await this.#addIfFile(path, EXTENSIONS.has(extname(name).toLowerCase()));
      if (kind === "folder") await this.#addFolder(path, depth + 1);
    }
  }

  async #addIfFile(path: string, wanted: boolean): Promise<"file" | "folder" | "absent"> {
    try {
      const stats = await stat(path);
      if (stats.isDirectory()) return "folder";
      if (!wanted || (await this.#wasSeen(path))) return "file";
      if (this.listing.files.length >= MAX_FILES) this.listing.tooMany = true;
      else this.listing.files.push({ path, stamp: stampOf(stats) });
      return "file";
    } catch {
      return "absent";
    }
  }

  async #wasSeen(path: string): Promise<boolean> {
    const real = await realpath(path).catch(() => path);
    if (this.#seen.has(real)) return true;
    this.#seen.add(real);
    return false;
  }
}

function stampOf({ mtimeMs, ctimeMs, size, ino }: Stats): string {
  return [mtimeMs, ctimeMs, size, ino].join(" ");
}
