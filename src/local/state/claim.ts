import { resolve } from "node:path";
import type { Environment } from "../secrets/resolve-secret.ts";
import {
  defaultStateFolder,
  lockStateFolder,
  removeUpInfo,
  writeUpInfo,
  type UpInfo,
} from "./folder.ts";

/**
 * Takes a state folder, and says in it where this instance is found; also where it is looked for by those who were not
 * told of the folder. Rejects with an UpError when another instance has it.
 */
export async function claimStateFolder(
  folder: string,
  env: Environment,
  info: UpInfo,
): Promise<AsyncDisposable> {
  await using taken = new AsyncDisposableStack();
  taken.use(await lockStateFolder(folder));
  const folders = new Set([folder, resolve(defaultStateFolder(env, info.port))]);
  for (const place of folders) {
    try {
      await writeUpInfo(place, info);
      taken.defer(() => removeUpInfo(place));
    } catch (error) {
      // Without the other place it is found all the same, by its folder.
      if (place === folder) throw error;
    }
  }
  return taken.move();
}
