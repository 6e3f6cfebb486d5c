/**
 * Reads the resources that files declare, and what is wrong with the files. Each reading begins from the one before: a file that
 * has not changed is not read again, and a file that has errors now keeps what it declared last.
 */
import { readFile } from "node:fs/promises";
import { findDuplicates } from "../../api/manifest/find-duplicates.ts";
import {
  MAX_FILE_BYTES,
  parseManifests,
  type ManifestResource,
  type Problem,
  resourceKey,
} from "../../api/manifest/manifest.ts";
import { listManifestFiles, MAX_FILES, type ManifestListing } from "./list.ts";
import { UpError } from "../state/up-error.ts";

export interface ManifestState {
  readonly files: ReadonlyMap<string, FileState>;
  /** No two of them have the same kind, namespace and name. */
  readonly resources: readonly ManifestResource[];
  readonly problems: readonly Problem[];
  readonly listing: ManifestListing;
}

interface FileState {
  readonly stamp: string;
  readonly declared: readonly ManifestResource[];
  /** An earlier content of the file declared them. They are kept for as long as the file has errors. */
  readonly kept: readonly ManifestResource[];
  readonly problems: readonly Problem[];
}

/** Rejects with an UpError when a path does not exist at the first reading. Later, that removes what the path declared. */
export async function readManifests(
  paths: readonly string[],
  before?: ManifestState,
): Promise<ManifestState> {
  const listing = await listManifestFiles(paths);
  if (before === undefined && listing.missing.length > 0) {
    throw new UpError(
      `There is no such file or folder: ${listing.missing.join(", ")}`,
      "-f takes manifests, or folders that hold some.",
    );
  }
  if (before !== undefined && isSameListing(listing, before.listing)) return before;

  const files = new Map<string, FileState>();
  for (const { path, stamp } of listing.files) {
    const known = before?.files.get(path);
    const state = known?.stamp === stamp ? known : await readOne(path, stamp, known);
    if (state !== undefined) files.set(path, state);
  }
  return { files, listing, ...combine(files, listing) };
}

/** Whether `after` lacks a resource of `before`. It may also lack one because a file is just being written. */
export function losesResources(before: ManifestState, after: ManifestState): boolean {
  const keys = new Set(after.resources.map(resourceKey));
  return before.resources.some((resource) => !keys.has(resourceKey(resource)));
}

function isSameListing(a: ManifestListing, b: ManifestListing): boolean {
  const shown = ({ files, missing, tooMany }: ManifestListing): string =>
    JSON.stringify([files, missing, tooMany]);
  return shown(a) === shown(b);
}

/** Resolves to `undefined` when the file was deleted since it was listed. */
async function readOne(
  path: string,
  stamp: string,
  known: FileState | undefined,
): Promise<FileState | undefined> {
  let resources: readonly ManifestResource[] = [];
  let problems: readonly Problem[];
  try {
    ({ resources, problems } = parseManifests(await readBounded(path, stamp), path));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    if (code === undefined) throw error;
    problems = [problemAt(path, `the file cannot be read (${code})`)];
  }
  const bad = problems.some(({ severity }) => severity === "error");
  return {
    stamp,
    declared: resources,
    kept: bad && known ? [...known.declared, ...known.kept] : [],
    problems,
  };
}

async function readBounded(path: string, stamp: string): Promise<string> {
  // A text that is one byte too long takes the place of a larger file. The parser refuses it, and nobody reads a gigabyte.
  const size = Number(stamp.split(" ")[2]);
  if (size > MAX_FILE_BYTES) return " ".repeat(MAX_FILE_BYTES + 1);
  return readFile(path, "utf8");
}

function combine(
  files: ReadonlyMap<string, FileState>,
  { missing, tooMany }: ManifestListing,
): Pick<ManifestState, "resources" | "problems"> {
  const states = [...files.values()];
  const declared = states.flatMap((file) => file.declared);
  const byKey = new Map<string, ManifestResource>();
  // What is declared now comes before what is only kept, and the first of two with the same name stays.
  for (const resource of [...declared, ...states.flatMap((file) => file.kept)]) {
    const key = resourceKey(resource);
    if (!byKey.has(key)) byKey.set(key, resource);
  }
  return {
    resources: [...byKey.values()],
    problems: [
      ...missing.map((path) => problemAt(path, "this file or folder is not there any more")),
      ...(tooMany
        ? [problemAt(".", `there are more than ${MAX_FILES} manifests; the rest is not read`)]
        : []),
      ...states.flatMap((file) => file.problems),
      ...findDuplicates(declared),
    ],
  };
}

function problemAt(file: string, message: string): Problem {
  return { file, line: 1, column: 1, severity: "error", message };
}
