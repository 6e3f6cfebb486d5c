/** The packages of others that the bundle holds, as the modules of a build and the lock file name them. */
import { readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";

export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** As its package.json says: an identifier of SPDX, or an expression of some. */
  readonly license: string | undefined;
  /** Absolute. */
  readonly folder: string;
  /** Its key in package-lock.json, such as `node_modules/ws`. */
  readonly path: string;
  /** Of the archive that it was installed from, such as `sha512-…`. */
  readonly integrity: string;
  /** The keys of the packages that it depends on, bundled or not. */
  readonly dependencies: readonly string[];
}

interface LockFile {
  readonly packages: Readonly<
    Record<string, { integrity?: string; dependencies?: Readonly<Record<string, string>> }>
  >;
}

/** `moduleIds` are the absolute paths of modules, as a bundler reports them. Throws when the lock file lacks a package. */
export function bundledPackages(moduleIds: Iterable<string>, root: string): BundledPackage[] {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as LockFile;
  const folders = new Set<string>();
  for (const id of moduleIds) {
    const folder = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0];
    if (folder !== undefined) folders.add(folder);
  }
  return [...folders].toSorted().map((folder) => {
    const { name, version, license } = JSON.parse(
      readFileSync(join(folder, "package.json"), "utf8"),
    ) as { name: string; version: string; license?: string };
    const path = relative(root, folder).replaceAll(sep, "/");
    const { integrity, dependencies = {} } = lock.packages[path] ?? {};
    if (integrity === undefined) {
      throw new Error(`package-lock.json holds no checksum of ${path}, which is in the bundle`);
    }
    const resolved = Object.keys(dependencies).flatMap((one) => resolve(one, path, lock) ?? []);
    return { name, version, license, folder, path, integrity, dependencies: resolved };
  });
}

/** The key of the package that an import of `name` finds from the package at `path`: in its own folder, or above. */
function resolve(name: string, path: string, { packages }: LockFile): string | undefined {
  for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf("/node_modules/")))) {
    const key = at === "" ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (key in packages) return key;
    if (at === "") return undefined;
  }
}
