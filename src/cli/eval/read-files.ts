/** Reads what `omnia eval` is given: a pack or manifests, and conversations. */
import {
  parseManifests,
  MAX_FILE_BYTES,
  type ManifestResource,
} from "../../api/manifest/manifest.ts";
import { findDuplicates } from "../../api/manifest/find-duplicates.ts";
import { readPackSource } from "../../promptpack/check/read-pack-source.ts";
import { parsePromptPack } from "../../promptpack/check/parse-prompt-pack.ts";
import type { PackVersion } from "../../control/prompt-pack/pack-version.ts";
import {
  MAX_CONVERSATIONS_BYTES,
  readConversations,
  type ScriptedConversation,
} from "../../evals/conversation/read-conversations.ts";
import { listManifestFiles } from "../../local/manifests/list.ts";
import { FileError, type PatientFiles } from "../../local/manifests/patient-files.ts";
import { describeUnread } from "../../local/manifests/unread.ts";
import { CliError } from "../terminal/cli-error.ts";

const MAX_SHOWN_PROBLEMS = 10;

export type EvalSources =
  | { readonly type: "pack"; readonly version: PackVersion }
  | { readonly type: "manifests"; readonly resources: readonly ManifestResource[] };

/** Told each problem of a file, with its place, before a CliError says that there are some. */
export type TellProblem = (line: string) => void;

/** Rejects with a CliError when something is wrong. */
export async function readSources(
  paths: readonly string[],
  files: PatientFiles,
  tell: TellProblem,
): Promise<EvalSources> {
  const [only] = paths;
  if (paths.length === 1 && only !== undefined && (await isFile(only, files))) {
    const text = await readText(only, MAX_FILE_BYTES, files);
    if (isPack(text)) return { type: "pack", version: readPack(only, text, tell) };
  }
  const listing = await listManifestFiles(paths, files);
  const [missing] = listing.missing;
  if (missing !== undefined) throw new CliError(`There is no such file or folder: ${missing}`);
  const [unread] = listing.unread;
  if (unread !== undefined) throw new CliError(`${unread.path}: ${unread.message}`);
  if (listing.files.length === 0) {
    throw new CliError(`There are no manifests in ${paths.join(", ")}`, {
      cure: "-f takes a pack, manifests, or folders that hold some.",
    });
  }
  const parsed = [];
  for (const { path } of listing.files) {
    parsed.push(parseManifests(await readText(path, MAX_FILE_BYTES, files), path));
  }
  const resources = parsed.flatMap((file) => file.resources);
  const problems = [...parsed.flatMap((file) => file.problems), ...findDuplicates(resources)]
    .filter(({ severity }) => severity === "error")
    .map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`);
  if (problems.length > 0) throw manyProblems("The manifests are not valid.", problems, tell);
  return { type: "manifests", resources };
}

export async function readScript(
  path: string,
  files: PatientFiles,
  tell: TellProblem,
): Promise<readonly ScriptedConversation[]> {
  const read = readConversations(await readText(path, MAX_CONVERSATIONS_BYTES, files));
  if (read.ok) return read.conversations;
  throw manyProblems(
    "The conversations cannot be read.",
    read.problems.map((problem) => `${path}: ${problem}`),
    tell,
  );
}

async function isFile(path: string, files: PatientFiles): Promise<boolean> {
  try {
    return (await files.kindOf(path)).kind === "file";
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return false;
  }
}

async function readText(path: string, maxBytes: number, files: PatientFiles): Promise<string> {
  try {
    return await files.read(path, maxBytes);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const message =
      error.code === "ENOENT" ? "there is no such file" : describeUnread("file", error.code);
    throw new CliError(`${path}: ${message}`, { cause: error });
  }
}

function isSystemError(error: unknown): error is { code: string } {
  return (
    error instanceof FileError ||
    (error instanceof Error && "code" in error && typeof error.code === "string")
  );
}

/** A manifest has a kind, and a pack has prompts. */
function isPack(text: string): boolean {
  const source = readPackSource(text);
  if (!source.ok) return false;
  const { value } = source;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return !("kind" in value) && ("prompts" in value || "template_engine" in value);
}

function readPack(path: string, text: string, tell: TellProblem): PackVersion {
  const parsed = parsePromptPack(text);
  if (parsed.ok) return { hash: parsed.hash, semver: parsed.pack.version, document: parsed.pack };
  throw manyProblems(
    "The pack is not valid.",
    parsed.problems.map(({ path: at, message, line, column }) => {
      const place = line === undefined ? path : `${path}:${line}:${column}`;
      return `${place}: ${at === "" ? "" : `${at}: `}${message}`;
    }),
    tell,
  );
}

function manyProblems(message: string, problems: readonly string[], tell: TellProblem): CliError {
  for (const problem of problems.slice(0, MAX_SHOWN_PROBLEMS)) tell(problem);
  const more = problems.length - MAX_SHOWN_PROBLEMS;
  if (more > 0) tell(`and ${more} more`);
  return new CliError(message);
}
