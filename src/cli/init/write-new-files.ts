/** Writes files that are not there yet. What is there stays as it is. */
import { lstat, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CliError } from "../terminal/cli-error.ts";
import type { NewFile } from "./agent-files.ts";
import { makeFolder } from "../../local/state/make-folder.ts";

/** Rejects with a CliError, and has written nothing, when one of the files is there already or the folder cannot be written. */
export async function writeNewFiles(folder: string, files: readonly NewFile[]): Promise<void> {
  await refuseExisting(
    folder,
    files.map(({ name }) => name),
  );
  const written: string[] = [];
  try {
    await makeFolder(folder);
    for (const { name, text } of files) {
      const path = join(folder, name);
      // "wx" fails when somebody else has made the file meanwhile.
      await writeFile(path, text, { flag: "wx" });
      written.push(path);
    }
  } catch (error) {
    await Promise.all(written.map((path) => rm(path, { force: true })));
    const { code = "unknown error" } = error as NodeJS.ErrnoException;
    throw new CliError(`The files cannot be written into ${folder} (${code}).`, {
      cure: "Name another folder. Nothing was written.",
      cause: error,
    });
  }
}

export async function refuseExisting(folder: string, names: readonly string[]): Promise<void> {
  const paths = names.map((name) => join(folder, name));
  const isThere = await Promise.all(
    paths.map((path) =>
      lstat(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  const existing = paths.filter((_path, index) => isThere[index]);
  if (existing.length === 0) return;
  const [subject, object] =
    existing.length === 1 ? ["This file is", "it"] : ["These files are", "them"];
  throw new CliError(`${subject} there already: ${existing.join(", ")}`, {
    cure: `Name another folder, or move ${object} away. Nothing was written.`,
  });
}
