/** Files that only their owner reads, written so that a reader sees the old content or the new, never half of one. */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { dirname, join } from "node:path";

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const TEMPORARY_PREFIX = ".new-";

export async function makePrivateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
}

/** Writes nothing when the file has this content; answers whether it wrote. */
export async function writePrivateFile(file: string, content: string): Promise<boolean> {
  if ((await readFileIfThere(file)) === content) return false;
  const folder = dirname(file);
  await makePrivateFolder(folder);
  const temporary = join(folder, `${TEMPORARY_PREFIX}${randomUUID()}`);
  try {
    await writeFile(temporary, content, { mode: FILE_MODE, flag: "wx" });
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return true;
}

/**
 * Makes a folder hold these files (name → content) and no others. New content is there before old files go.
 * Answers whether anything changed.
 */
export async function syncPrivateFolder(
  folder: string,
  files: ReadonlyMap<string, string>,
): Promise<boolean> {
  let changed = false;
  for (const [name, content] of files)
    changed = (await writePrivateFile(join(folder, name), content)) || changed;
  for (const name of await listIfThere(folder)) {
    if (files.has(name)) continue;
    await rm(join(folder, name), { recursive: true, force: true });
    changed ||= !name.startsWith(TEMPORARY_PREFIX);
  }
  return changed;
}

export async function readFileIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

export async function listIfThere(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === "ENOENT" || code === "ENOTDIR";
}
