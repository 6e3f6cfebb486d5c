/**
 * Packs programs that need no libraries as images, each in an archive: what a node runs that has no registry to pull from.
 *
 *     node test/node/pack-program.ts NAME PROGRAM OUTPUT
 */
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { OWN_ARCHITECTURE, writeArchive } from "../../image/oci-archive.ts";

const [name, program, output] = process.argv.slice(2);
if (name === undefined || program === undefined || output === undefined)
  throw new Error("give the name of the image, the program, and the file to write");

const work = await mkdtemp(join(tmpdir(), "omnia-pack-"));
try {
  const root = join(work, "root");
  await mkdir(root);
  await copyFile(program, join(root, basename(program)));
  const facts = {
    entrypoint: [`/${basename(program)}`],
    environment: ["PATH=/"],
    user: "0:0",
    workingDirectory: "/",
  };
  const images = [{ root, architecture: OWN_ARCHITECTURE }];
  await writeArchive({ images, work, output, name, facts });
} finally {
  await rm(work, { recursive: true, force: true });
}
