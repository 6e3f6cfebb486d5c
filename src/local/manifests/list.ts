/** Lists the files that hold manifests: those that are named, and in folders those whose names end like that of a manifest. */
import { dirname, extname, join } from "node:path";
import { FileError, type PatientFiles } from "./patient-files.ts";
import { describeUnread } from "./unread.ts";

const EXTENSIONS = new Set([".yaml", ".yml", ".json"]);
/** Folders that are never read. Nor is any whose name begins with a dot. */
const SKIPPED_FOLDERS = new Set(["node_modules"]);
export const MAX_FILES = 2_000;
export const MAX_DEPTH = 32;

export interface ManifestFile {
  /** The path as it was named, or below the folder that was named. */
  path: string;
  /** It changes when the file may hold something else. */
  stamp: string;
}

/** Something that is not read, and why. */
export interface UnreadPath {
  path: string;
  severity: "error" | "warning";
  message: string;
}

export interface ManifestListing {
  files: ManifestFile[];
  /** The folders and files whose changes can change the listing. */
  folders: string[];
  /** The paths that are named and do not exist. */
  missing: string[];
  unread: UnreadPath[];
}

export async function listManifestFiles(
  paths: readonly string[],
  files: PatientFiles,
): Promise<ManifestListing> {
  const walk = new Walk(files);
  for (const path of paths) await walk.addNamed(path);
  return walk.listing;
}

const ABSENT = new Set(["ENOENT", "ENOTDIR"]);

class Walk {
  readonly listing: ManifestListing = { files: [], folders: [], missing: [], unread: [] };
  readonly #files: PatientFiles;
  /** Real paths, so that a file that is reached twice is read once, and a folder that leads back to itself is left. */
  readonly #seen = new Set<string>();
  #isFull = false;

  constructor(files: PatientFiles) {
    this.#files = files;
  }

  async addNamed(path: string): Promise<void> {
    const kind = await this.#addIfFile(path, true);
    if (kind === "folder") await this.#addFolder(path, 0);
    else this.listing.folders.push(dirname(path));
    if (kind === "absent") this.listing.missing.push(path);
  }

  async #addFolder(folder: string, depth: number): Promise<void> {
    if (await this.#wasSeen(folder)) return;
    if (depth > MAX_DEPTH) {
      const message = `lies more than ${MAX_DEPTH} folders deep and is not read; name it by itself`;
      this.#leaveOut(folder, message);
      return;
    }
    let names: string[];
    try {
      names = await this.#files.namesIn(folder);
    } catch (error) {
      // Without a folder there is nothing to miss: it was deleted since it was found.
      if (!ABSENT.has(codeOf(error)))
        this.#leaveOut(folder, describeUnread("folder", codeOf(error)));
      return;
    }
    // To watch a folder that does not answer would hold up the whole process.
    this.listing.folders.push(folder);
    for (const name of names.toSorted()) {
      if (name.startsWith(".") || SKIPPED_FOLDERS.has(name)) continue;
      const path = join(folder, name);
      const isWanted = EXTENSIONS.has(extname(name).toLowerCase());
      const kind = await this.#addIfFile(path, isWanted);
      if (kind === "folder") await this.#addFolder(path, depth + 1);
      if (kind === "absent") await this.#noteLink(path, isWanted);
    }
  }

  async #addIfFile(
    path: string,
    isWanted: boolean,
  ): Promise<"file" | "folder" | "absent" | "unread"> {
    try {
      const { kind, stamp } = await this.#files.kindOf(path);
      if (kind === "folder") return kind;
      if (!isWanted || (await this.#wasSeen(path))) return "file";
      if (kind === "other") this.#leaveOut(path, describeUnread("file", "NO_FILE"));
      else if (this.listing.files.length < MAX_FILES) this.listing.files.push({ path, stamp });
      else if (!this.#isFull) {
        this.#isFull = true;
        this.#leaveOut(
          path,
          `there are more than ${MAX_FILES} manifests; this one and those behind it are not read; name fewer folders`,
        );
      }
      return "file";
    } catch (error) {
      const code = codeOf(error);
      if (ABSENT.has(code)) return "absent";
      // What is neither a manifest nor known to be a folder is missed by few.
      this.#leaveOut(path, describeUnread("file", code), isWanted ? "error" : "warning");
      return "unread";
    }
  }

  /** A name that leads nowhere is a link, unless it was deleted since it was found. */
  async #noteLink(path: string, isWanted: boolean): Promise<void> {
    const isLink = await this.#files.isLink(path).catch(nothingOf);
    if (isLink !== true) return;
    const message = "this link leads nowhere; correct or remove it";
    this.#leaveOut(path, message, isWanted ? "error" : "warning");
  }

  #leaveOut(path: string, message: string, severity: UnreadPath["severity"] = "error"): void {
    this.listing.unread.push({ path, severity, message });
  }

  async #wasSeen(path: string): Promise<boolean> {
    const real = (await this.#files.realPath(path).catch(nothingOf)) ?? path;
    if (this.#seen.has(real)) return true;
    this.#seen.add(real);
    return false;
  }
}

/** The code of a FileError. Other errors, such as that of an abort, are thrown. */
function codeOf(error: unknown): string {
  if (error instanceof FileError) return error.code;
  throw error;
}

function nothingOf(error: unknown): undefined {
  codeOf(error);
}
