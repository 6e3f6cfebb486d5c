/** Reads the files, folders and standard input that `validate` is given, with the text and the problems of each. */
import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { findDuplicates } from "../../api/manifest/find-duplicates.ts";
import {
  MAX_FILE_BYTES,
  parseManifests,
  type ManifestResource,
  type Problem,
} from "../../api/manifest/manifest.ts";
import { listManifestFiles } from "../../local/manifests/list.ts";
import type { PatientFiles } from "../../local/manifests/patient-files.ts";
import { describeUnread } from "../../local/manifests/unread.ts";
import { CliError } from "../terminal/cli-error.ts";

/** This path stands for the standard input. */
const STANDARD_INPUT = "-";
const STANDARD_INPUT_LABEL = "<stdin>";
/** What a shell hands over, as with `-f <(helm template my-release)`. It may be a pipe, of which somebody writes the other end. */
const HANDED_OVER = /^\/dev\/(stdin|fd\/[0-9]+)$/;

export interface ManifestSources {
  readonly resources: readonly ManifestResource[];
  readonly problems: readonly Problem[];
  /** The text of each file, by the name that problems give the file. */
  readonly texts: ReadonlyMap<string, string>;
  /** How many resources there are, including those that cannot be used. */
  readonly count: number;
}

/** Rejects with a CliError when there is nothing to read. */
export async function readManifestSources(
  paths: readonly string[],
  stdin: Readable,
  patientFiles: PatientFiles,
): Promise<ManifestSources> {
  const texts = new Map<string, string>();
  const unreadable: Problem[] = [];
  const streams = paths.filter((path) => path === STANDARD_INPUT || HANDED_OVER.test(path));
  const { files, missing, unread } = await listManifestFiles(
    paths.filter((path) => !streams.includes(path)),
    patientFiles,
  );
  const isAllMissing = missing.length > 0 && files.length + unread.length === 0;
  if (isAllMissing && streams.length === 0) {
    throw new CliError(`There is no such file or folder: ${missing.join(", ")}`, {
      cure: "-f takes manifests, folders that hold some, or - for the standard input.",
    });
  }
  for (const path of missing) {
    unreadable.push(problemOfFile(path, "there is no such file or folder"));
  }
  for (const { path, severity, message } of unread) {
    unreadable.push({ ...problemOfFile(path, message), severity });
  }
  const add = async (path: string, read: () => Promise<string>): Promise<void> => {
    try {
      texts.set(path, await read());
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      unreadable.push(problemOfFile(path, describeUnread("file", code)));
    }
  };
  for (const { path } of files) await add(path, () => patientFiles.read(path, MAX_FILE_BYTES));
  for (const path of new Set(streams)) {
    if (path === STANDARD_INPUT) await add(STANDARD_INPUT_LABEL, () => readBounded(stdin));
    else await add(path, () => readBounded(createReadStream(path)));
  }
  if (texts.size + unreadable.length === 0) {
    throw new CliError(`There are no manifests in ${paths.join(", ")}`, {
      cure: "Manifests are files that end in .yaml, .yml or .json.",
    });
  }
  if (unreadable.length === 0 && [...texts.values()].every((text) => text.trim() === "")) {
    throw new CliError("There is nothing to check: the input is empty.");
  }

  const parsed = [...texts].map(([file, text]) => parseManifests(text, file));
  const resources = parsed.flatMap((file) => file.resources);
  return {
    resources,
    problems: [
      ...unreadable,
      ...parsed.flatMap((file) => file.problems),
      ...findDuplicates(resources),
    ],
    texts,
    count: parsed.reduce((sum, file) => sum + file.declared, 0),
  };
}

async function readBounded(input: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    chunks.push(Buffer.from(chunk as Buffer | string));
    bytes += (chunks.at(-1) as Buffer).length;
    // The parser will report that the text is too long.
    if (bytes > MAX_FILE_BYTES) break;
  }
  return Buffer.concat(chunks).toString("utf8");
}

function problemOfFile(file: string, message: string): Problem {
  return { file, line: 1, column: 1, severity: "error", message };
}
