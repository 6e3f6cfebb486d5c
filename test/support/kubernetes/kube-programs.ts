/** Where the real programs of Kubernetes are: in KUBEBUILDER_ASSETS, else in the cache, where `kube-api-server-build` puts them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, constants } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

const found = new Map<string, Promise<string>>();

/** A folder with all of them. Rejects when there is none: a test that needs them fails, it is never passed over. */
export function findKubePrograms(names: readonly string[]): Promise<string> {
  const key = names.join();
  const folder = found.get(key) ?? locate(names);
  found.set(key, folder);
  return folder;
}

async function locate(names: readonly string[]): Promise<string> {
  const assets = process.env["KUBEBUILDER_ASSETS"];
  if (assets !== undefined && assets !== "" && (await hasAll(assets, names))) return assets;
  const cache =
    process.env["OMNIA_CACHE"] ??
    join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "omnia");
  const folder = join(cache, "kube");
  if (await hasAll(folder, names)) return folder;
  const build = spawn("bash", [join(import.meta.dirname, "kube-api-server-build"), folder], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  await once(build, "exit");
  if (await hasAll(folder, names)) return folder;
  const wanted = names.join(", ");
  throw new Error(
    `these tests need a real ${wanted}: run test/support/kubernetes/kube-api-server-build`,
  );
}

async function hasAll(folder: string, names: readonly string[]): Promise<boolean> {
  try {
    for (const name of names) await access(join(folder, name), constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
