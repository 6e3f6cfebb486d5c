/** What a release consists of, as files in one folder. The same sources on the same machine make the same bytes. */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { parseDocument } from "yaml";
import { IMAGE_FACTS } from "../image/image-facts.ts";
import { REPRODUCIBLE, SAME_MODES, writeArchive } from "../image/oci-archive.ts";
import { type ImageFiles, writeRootFilesystem } from "../image/root-filesystem.ts";
import { SOFTWARE_BILL_FILE } from "../supply-chain/software-bill.ts";
import { signChecksums, writeChecksums } from "./sign-checksums.ts";

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

export interface ArtifactOptions {
  /** The folder of the checkout, with `dist` built in it. */
  readonly project: string;
  readonly version: string;
  /** What was there goes. */
  readonly output: string;
  /** What the image is called where it is published, without a tag; undefined: `omnia`, which everybody builds for themselves. */
  readonly repository: string | undefined;
  /** The architecture → what the image has besides the program. */
  readonly platforms: ReadonlyMap<string, ImageFiles>;
  /** Undefined: nothing is signed. */
  readonly signingKeyFile: string | undefined;
}

export async function buildArtifacts(options: ArtifactOptions): Promise<void> {
  const { project, version, output, repository, platforms, signingKeyFile } = options;
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
    await packForNpm(project, { work, output: join(output, names.npm) });
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
    await packChart(project, { work, output: join(output, names.chart), image });
    await writeChecksums(output, Object.values(names));
    if (signingKeyFile !== undefined) await signChecksums(output, signingKeyFile);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function packForNpm(
  project: string,
  { work, output }: { work: string; output: string },
): Promise<void> {
  // The bundle is built already.
  const flags = ["--ignore-scripts", "--json", "--pack-destination", work];
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
  const root = join(work, "npm");
  await mkdir(root);
  await run("tar", ["-xzf", join(work, one.filename), "-C", root]);
  await writeTarball(root, "package", output);
}

/** In the checkout the chart names the image that people build themselves; a published one names the published image, by its digest. */
async function packChart(
  project: string,
  {
    work,
    output,
    image,
  }: { work: string; output: string; image: { repository: string; digest: string } | undefined },
): Promise<void> {
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
}

async function writeTarball(root: string, folder: string, output: string): Promise<void> {
  const tar = `${root}.tar`;
  await run("tar", [...REPRODUCIBLE, SAME_MODES, "-cf", tar, "-C", root, folder]);
  await writeFile(output, gzipSync(await readFile(tar), { level: 9 }));
}
