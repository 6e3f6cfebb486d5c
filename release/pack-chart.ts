import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { writeTarball } from "./write-tarball.ts";

export interface PublishedImage {
  /** Without a tag. */
  readonly repository: string;
  readonly digest: string;
}

/** In the checkout the chart names the image that people build themselves; a published one names the published image, by its digest. */
export async function packChart(
  project: string,
  { output, image }: { output: string; image: PublishedImage | undefined },
): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), "omnia-chart-"));
  try {
    const root = join(work, "chart");
    await cp(join(project, "charts/omnia"), join(root, "omnia"), { recursive: true });
    if (image !== undefined) {
      const file = join(root, "omnia/values.yaml");
      const values = parseDocument(await readFile(file, "utf8"));
      values.setIn(["image", "repository"], image.repository);
      values.setIn(["image", "digest"], image.digest);
      await writeFile(file, values.toString({ lineWidth: 0 }));
    }
    await writeTarball(root, "omnia", output);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
