/** `make image`: the container image, without Docker. IMAGE names it; `omnia:<version>` unless set. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import packageJSON from "../package.json" with { type: "json" };
import { IMAGE_FACTS } from "./image-facts.ts";
import { OWN_ARCHITECTURE, writeArchive } from "./oci-archive.ts";
import { ownPlatform, writeRootFilesystem } from "./root-filesystem.ts";

const PROJECT = join(import.meta.dirname, "..");

export async function buildImage(output: string, name: string): Promise<void> {
  if (process.platform !== "linux") {
    throw new Error(
      "an image is built from the libraries of a Linux machine; elsewhere use the Dockerfile",
    );
  }
  const work = await mkdtemp(join(tmpdir(), "omnia-image-"));
  try {
    const root = join(work, "root");
    await writeRootFilesystem(root, { project: PROJECT, ...(await ownPlatform()) });
    const images = [{ root, architecture: OWN_ARCHITECTURE }];
    await writeArchive({ images, work, output, name, facts: IMAGE_FACTS });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const name = process.env["IMAGE"] || `omnia:${packageJSON.version}`;
  const output = join(PROJECT, "omnia-image.tar");
  process.stdout.write(`Building the image ${name}\n`);
  await buildImage(output, name);
  process.stdout.write(
    "omnia-image.tar is an archive for `docker load -i`, `kind load image-archive`, `ctr -n k8s.io images import`\n",
  );
}
