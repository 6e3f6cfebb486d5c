/** What a release consists of, as files in one folder. The same sources on the same machine make the same bytes. */
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IMAGE_FACTS } from "../image/image-facts.ts";
import { writeArchive } from "../image/oci-archive.ts";
import { type ImageFiles, writeRootFilesystem } from "../image/root-filesystem.ts";
import { SOFTWARE_BILL_FILE } from "../supply-chain/software-bill.ts";
import { packChart } from "./pack-chart.ts";
import { packForNpm } from "./pack-for-npm.ts";
import type { ReleaseSettings } from "./release-settings.ts";
import { signChecksums, writeChecksums } from "./sign-checksums.ts";

export interface ArtifactOptions extends ReleaseSettings {
  /** The folder of the checkout, with `dist` built in it. */
  readonly project: string;
  readonly version: string;
  /** What was there goes. */
  readonly output: string;
  /** The architecture → what the image has besides the program. */
  readonly platforms: ReadonlyMap<string, ImageFiles>;
}

export async function buildArtifacts(options: ArtifactOptions): Promise<void> {
  const { project, version, output, repository, npm, platforms, signingKeyFile } = options;
  await rm(output, { recursive: true, force: true });
  await mkdir(output, { recursive: true });
  const work = await mkdtemp(join(tmpdir(), "omnia-release-"));
  try {
    const names = {
      npm: `omnia-npm-${version}.tgz`,
      chart: `omnia-chart-${version}.tgz`,
      image: `omnia-image-${version}.tar`,
      bill: `omnia-sbom-${version}.cdx.json`,
    };
    await packForNpm(project, { output: join(output, names.npm), published: npm });
    await cp(join(project, "dist", SOFTWARE_BILL_FILE), join(output, names.bill));
    const images = [];
    for (const [architecture, files] of platforms) {
      const root = join(work, "roots", architecture);
      await writeRootFilesystem(root, { project, ...files });
      images.push({ root, architecture });
    }
    const digest = await writeArchive({
      images,
      work,
      output: join(output, names.image),
      name: `${repository ?? "omnia"}:${version}`,
      facts: IMAGE_FACTS,
    });
    const image = repository === undefined ? undefined : { repository, digest };
    await packChart(project, { output: join(output, names.chart), image });
    await writeChecksums(output, Object.values(names));
    if (signingKeyFile !== undefined) await signChecksums(output, signingKeyFile);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
