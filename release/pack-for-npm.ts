import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { writeTarball } from "./write-tarball.ts";

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

export interface PublishedPackage {
  /** Such as `@owner/omnia`. */
  readonly name: string;
  /** Where its sources are, such as `https://github.com/owner/omnia`: npm wants to know it of a package that says who built it. */
  readonly sources: string | undefined;
}

/**
 * The package of what is built already. In the checkout it is private, so that nobody publishes it from there by mistake, and it stays
 * so unless `published` says under which name it goes out.
 */
export async function packForNpm(
  project: string,
  { output, published }: { output: string; published: PublishedPackage | undefined },
): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), "omnia-npm-"));
  try {
    const flags = ["--ignore-scripts", "--json", "--pack-destination", root];
    const { stdout } = await run("npm", ["pack", ...flags], {
      cwd: project,
      maxBuffer: MAX_OUTPUT_BYTES,
    });
    const packed = JSON.parse(stdout) as
      | { filename: string }[]
      | Record<string, { filename: string }>;
    const [one] = Object.values(packed);
    if (one === undefined) throw new Error("npm has packed nothing");
    // npm chooses what is in it, and keeps the modes of the files.
    await run("tar", ["-xzf", join(root, one.filename), "-C", root]);
    if (published !== undefined) await publish(join(root, "package/package.json"), published);
    await writeTarball(root, "package", output);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function publish(file: string, { name, sources }: PublishedPackage): Promise<void> {
  const { private: _, ...facts } = JSON.parse(await readFile(file, "utf8")) as object & {
    private?: boolean;
  };
  const repository = sources && { repository: { type: "git", url: `git+${sources}.git` } };
  await writeFile(file, `${JSON.stringify({ ...facts, name, ...repository }, null, 2)}\n`);
}
