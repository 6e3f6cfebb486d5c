/**
 * Reads the resources that files declare, and what is wrong with the files. Each reading begins from the one before: a file that
 * has not changed is not read again, and a file that has errors now keeps what it declared last.
 */
import { sep } from "node:path";
import { findDuplicates } from "../../api/manifest/find-duplicates.ts";
import {
  MAX_FILE_BYTES,
  type ManifestResource,
  type Problem,
  resourceKey,
} from "../../api/manifest/manifest.ts";
import { listManifestFiles, type ManifestListing } from "./list.ts";
import type { ManifestParser } from "./manifest-parser.ts";
import { FileError, type PatientFiles } from "./patient-files.ts";
import { describeUnread } from "./unread.ts";
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
  means: { patientFiles: PatientFiles; parser: ManifestParser },
  before?: ManifestState,
): Promise<ManifestState> {
  const listing = await listManifestFiles(paths, means.patientFiles);
  if (before === undefined && listing.missing.length > 0) {
    throw new UpError(
      `There is no such file or folder: ${listing.missing.join(", ")}`,
      "-f takes manifests, or folders that hold some.",
    );
  }
  if (before !== undefined && isSameListing(listing, before.listing)) return before;

  const files = new Map<string, FileState>();
  try {
    for (const { path, stamp } of listing.files) {
      const known = before?.files.get(path);
      const state = known?.stamp === stamp ? known : await readOne(path, stamp, known, means);
      if (state !== undefined) files.set(path, state);
    }
  } finally {
    means.parser.rest();
  }
  for (const [path, state] of before?.files ?? []) {
    if (!files.has(path) && isUnread(path, listing)) files.set(path, state);
  }
  return { files, listing, ...combine(files, listing) };
}

/** Whether `after` lacks a resource of `before`. It may also lack one because a file is just being written. */
export function losesResources(before: ManifestState, after: ManifestState): boolean {
  const keys = new Set(after.resources.map(resourceKey));
  return before.resources.some((resource) => !keys.has(resourceKey(resource)));
}

function isSameListing(a: ManifestListing, b: ManifestListing): boolean {
  const shown = ({ files, missing, unread }: ManifestListing): string =>
    JSON.stringify([files, missing, unread]);
  return shown(a) === shown(b);
}

/** Whether the file is there and only cannot be read now. Then it keeps what it declared last. */
function isUnread(path: string, { unread }: ManifestListing): boolean {
  return unread.some((one) => path === one.path || path.startsWith(`${one.path}${sep}`));
}

/** Resolves to `undefined` when the file was deleted since it was listed. */
async function readOne(
  path: string,
  stamp: string,
  known: FileState | undefined,
  { patientFiles, parser }: { patientFiles: PatientFiles; parser: ManifestParser },
): Promise<FileState | undefined> {
  let resources: readonly ManifestResource[] = [];
  let problems: readonly Problem[];
  try {
    // A text that is one byte too long is refused by the parser.
    const text = await patientFiles.read(path, MAX_FILE_BYTES);
    ({ resources, problems } = await parser.parse(text, path));
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    if (error.code === "ENOENT") return undefined;
    problems = [problemAt(path, describeUnread("file", error.code))];
  }
  const bad = problems.some(({ severity }) => severity === "error");
  return {
    stamp,
    declared: resources,
    kept: bad && known ? [...known.declared, ...known.kept] : [],
    problems,
  };
}

function combine(
  files: ReadonlyMap<string, FileState>,
  { missing, unread }: ManifestListing,
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
      ...unread.map(({ path, severity, message }) => problemAt(path, message, severity)),
      ...states.flatMap((file) => file.problems),
      ...findDuplicates(declared),
    ],
  };
}

function problemAt(
  file: string,
  message: string,
  severity: Problem["severity"] = "error",
): Problem {
  return { file, line: 1, column: 1, severity, message };
}
