import { resolve } from "node:path";
import type { Environment } from "../secrets/resolve-secret.ts";
import { lockStateFolder } from "./lock-state-folder.ts";
import { requirePrivateFolder } from "./require-private-folder.ts";
import { defaultStateFolder, removeUpInfo, writeUpInfo, type UpInfo } from "./state-folder.ts";

/**
 * Takes a state folder, and writes into it where this instance is found. The same is written where commands look that were not told
 * of the folder. Rejects with an UpError when another instance has the folder.
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
      await requirePrivateFolder(place);
      await writeUpInfo(place, info);
      taken.defer(() => removeUpInfo(place));
    } catch (error) {
      // Without the other file the instance is still found by its folder.
      if (place === folder) throw error;
    }
  }
  return taken.move();
}
