/** A folder as a tarball. The same files make the same bytes, whoever made them and when. */
import { execFile } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { REPRODUCIBLE, SAME_MODES } from "../image/oci-archive.ts";

const run = promisify(execFile);

/** `folder` lies in `root`, and all that is in the tarball lies in it. */
export async function writeTarball(root: string, folder: string, output: string): Promise<void> {
  const tar = `${root}.tar`;
  await run("tar", [...REPRODUCIBLE, SAME_MODES, "-cf", tar, "-C", root, folder]);
  await writeFile(output, gzipSync(await readFile(tar), { level: 9 }));
  await rm(tar);
}
