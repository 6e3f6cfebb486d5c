/** Writes files that only their owner may read, so that a reader sees the old content or the new one, and never half of one. */
import type { Dirent } from "node:fs";
import type * as z from "zod";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { dirname, join, relative } from "node:path";
import { makeFolder } from "./make-folder.ts";

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const TEMPORARY_PREFIX = ".new-";

export async function makePrivateFolder(folder: string): Promise<void> {
  await makeFolder(folder, FOLDER_MODE);
}

/** Writes nothing when the file has this content already. Resolves to whether it wrote. */
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
 * Makes a folder hold these files and no others. Names are paths below the folder. A file with the content `undefined` is left as it
 * is, whether it exists or not.
 */
export async function syncPrivateFolder(
  folder: string,
  files: ReadonlyMap<string, string | undefined>,
): Promise<void> {
  for (const [name, content] of files) {
    if (content !== undefined) await writePrivateFile(join(folder, name), content);
  }
  for (const entry of await readdirIfThere(folder)) {
    if (entry.isDirectory()) continue;
    const file = join(entry.parentPath, entry.name);
    if (!files.has(relative(folder, file))) await rm(file, { force: true });
  }
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
  return (await readdirIfThere(folder, false)).map(({ name }) => name);
}

async function readdirIfThere(folder: string, recursive = true): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true, recursive });
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === "ENOENT" || code === "ENOTDIR";
}

/** Resolves to `undefined` when there is no such file, or one that does not hold JSON of this form. */
export async function readJSONIfThere<T>(
  file: string,
  schema: z.ZodType<T>,
): Promise<T | undefined> {
  const text = await readFileIfThere(file);
  if (text === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
