/**
 * What is in the container image: the bundle, Node, and the libraries that Node is linked to. Certificates of authorities are
 * in Node itself; `NODE_EXTRA_CA_CERTS` adds some of one's own.
 */
import { execFile } from "node:child_process";
import { chmod, cp, mkdir, realpath, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Loaded by the C library on demand, so that they are not among what a program is linked to. */
export const LOADED_ON_DEMAND = ["libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2"];

export interface ImageFiles {
  /** The program of Node. */
  readonly node: string;
  /** The path in the image, which is absolute → the file. */
  readonly libraries: ReadonlyMap<string, string>;
}

/** This machine's own. */
export async function ownPlatform(): Promise<ImageFiles> {
  const node = process.execPath;
  const libraries = await librariesOf(node);
  return { node, libraries: new Map(libraries.map((library) => [library, library])) };
}

/** `project`: the folder of the checkout, with `dist` built in it. */
export async function writeRootFilesystem(
  root: string,
  { project, node, libraries }: ImageFiles & { readonly project: string },
): Promise<void> {
  for (const folder of ["app", "etc", "tmp", "usr/local/bin"]) {
    await mkdir(join(root, folder), { recursive: true });
  }
  await cp(join(project, "dist"), join(root, "app/dist"), { recursive: true });
  await cp(join(project, "examples"), join(root, "app/examples"), { recursive: true });
  await cp(join(project, "package.json"), join(root, "app/package.json"));
  await cp(await realpath(node), join(root, "usr/local/bin/node"));
  await chmod(join(root, "usr/local/bin/node"), 0o755);
  for (const [path, library] of libraries) {
    const copy = join(root, path);
    await mkdir(dirname(copy), { recursive: true });
    await cp(await realpath(library), copy);
  }
  await writeFile(
    join(root, "etc/passwd"),
    "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/tmp:/sbin/nologin\n",
  );
  await writeFile(join(root, "etc/group"), "root:x:0:\nnonroot:x:65532:\n");
  await writeFile(join(root, "etc/nsswitch.conf"), "hosts: files dns\n");
  // The same for every umask of who has checked out or builds.
  await run("chmod", ["-R", "u=rwX,go=rX", root]);
  await chmod(join(root, "tmp"), 0o1777);
}

/** Absolute paths, the dynamic loader among them. */
async function librariesOf(program: string): Promise<string[]> {
  const { stdout } = await run("ldd", [program]);
  const linked = [...stdout.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].map(([, path]) => path ?? "");
  if (linked.length === 0) throw new Error(`ldd names no libraries of ${program}`);
  const libc = linked.find((path) => path.includes("/libc.so"));
  const onDemand = LOADED_ON_DEMAND.map((name) => join(dirname(libc ?? "/lib"), name));
  const there = await Promise.all(
    onDemand.map(async (path) => ((await isThere(path)) ? [path] : [])),
  );
  return [...new Set([...linked, ...there.flat()])];
}

async function isThere(path: string): Promise<boolean> {
  return await realpath(path).then(
    () => true,
    () => false,
  );
}
