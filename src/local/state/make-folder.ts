import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/**
 * Makes a folder with those above it that are missing. A folder that is there is left as it is. Rejects with the error of the system.
 * `mkdir` of Node with `recursive` would do, but never ends in /proc, where a folder that is there takes no other one and says ENOENT.
 */
export async function makeFolder(path: string, mode?: number): Promise<void> {
  const missing: string[] = [];
  let above = resolve(path);
  while (!(await isThere(above)) && dirname(above) !== above) {
    missing.unshift(above);
    above = dirname(above);
  }
  for (const folder of missing) await makeOne(folder, mode);
  if (missing.length === 0) await makeOne(above, mode);
}

async function makeOne(folder: string, mode: number | undefined): Promise<void> {
  try {
    await mkdir(folder, { mode });
  } catch (error) {
    // Somebody else has made it meanwhile, unless it is a file.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST" || !(await isFolder(folder)))
      throw error;
  }
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
