import { stat, writeFile } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import type { MigratedFile } from "../../api/migration/migrate-manifests.ts";
import { CliError } from "../terminal/cli-error.ts";
import { makeFolder } from "../../local/state/make-folder.ts";

/** The file for what came from the standard input. */
const STANDARD_INPUT_FILE = "manifests.yaml";

/**
 * The path of each file in the output folder: as it was in the folder that was named, or its name alone. What was JSON and is
 * translated becomes YAML, because JSON has no comments. Throws a CliError when two files would have one path.
 */
export function outputPaths(
  files: readonly MigratedFile[],
  named: readonly string[],
  folder: string,
): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const { name, text, isChanged } of files) {
    const own = join(folder, withinFolder(name, named));
    const target = isChanged ? own.replace(/\.json$/i, ".yaml") : own;
    if (texts.has(target)) {
      throw new CliError(`Two of the files would become ${target}.`, {
        cure: "Name the folder that both are in, or translate them one after the other.",
      });
    }
    texts.set(target, text);
  }
  return texts;
}

function withinFolder(name: string, named: readonly string[]): string {
  if (name.startsWith("<")) return STANDARD_INPUT_FILE;
  for (const path of named) {
    const inner = relative(resolve(path), resolve(name));
    if (inner !== "" && !inner.startsWith("..") && !isAbsolute(inner)) return inner;
  }
  return basename(name);
}

/** Overwrites nothing. Rejects with a CliError, before anything is written, when a file is there already. */
export async function writeFiles(
  folder: string,
  texts: ReadonlyMap<string, string>,
): Promise<void> {
  const there: string[] = [];
  for (const path of texts.keys()) if (await exists(path)) there.push(path);
  if (there.length > 0) {
    throw new CliError(`These files are there already: ${there.join(", ")}`, {
      cure: "Nothing was written. Name another folder.",
    });
  }
  try {
    await makeFolder(folder);
    for (const [path, text] of texts) {
      await makeFolder(dirname(path));
      await writeFile(path, text, { flag: "wx" });
    }
  } catch (cause) {
    const { code = "unknown error" } = cause as NodeJS.ErrnoException;
    throw new CliError(`The files cannot be written into ${folder} (${code}).`, { cause });
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}
