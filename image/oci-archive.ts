/** An image of one layer for each platform as an archive in the layout of the Open Container Initiative (image-spec 1.1). */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

const run = promisify(execFile);
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };
/** Of this machine, as images name it. */
export const OWN_ARCHITECTURE = ARCHITECTURES[process.arch] ?? process.arch;
/** The same files make the same archive, which everybody can read. */
export const REPRODUCIBLE = [
  "--sort=name",
  "--mtime=@0",
  "--owner=0",
  "--group=0",
  "--numeric-owner",
  "--format=gnu",
  // Whatever the umask of who builds it: its user is somebody else.
  "--mode=a+rX",
];

/** What an image is to whoever runs it. */
export interface ImageFacts {
  readonly entrypoint: readonly string[];
  readonly environment: readonly string[];
  /** By number: `65532:65532`. */
  readonly user: string;
  readonly workingDirectory: string;
}

/** Whatever the umask was under which the files were made. A layer keeps more of theirs: its `tmp` is everybody's. */
export const SAME_MODES = "--mode=u=rwX,go=rX";

export interface ArchiveOptions {
  /** One for each platform. `root`: the folder whose content is the root of the image. */
  readonly images: readonly { readonly root: string; readonly architecture: string }[];
  /** An empty folder to work in. */
  readonly work: string;
  readonly output: string;
  /** With its tag: `omnia:0.1.0`. */
  readonly name: string;
  readonly facts: ImageFacts;
}

type Blob = { readonly mediaType: string; readonly digest: string; readonly size: number };
type Write = (content: Buffer | string, mediaType: string) => Promise<Blob>;

/** Answers the digest of the image: with more than one platform, that of the list of them. */
export async function writeArchive({
  images,
  work,
  output,
  name,
  facts,
}: ArchiveOptions): Promise<string> {
  const layout = join(work, "layout");
  const blobs = join(layout, "blobs/sha256");
  await mkdir(blobs, { recursive: true });
  const write: Write = async (content, mediaType) => {
    const digest = sha256(content);
    await writeFile(join(blobs, digest), content);
    return { mediaType, digest: `sha256:${digest}`, size: Buffer.byteLength(content) };
  };

  const manifests = [];
  for (const { root, architecture } of images) {
    const manifest = await writeManifest({ root, architecture, work, facts }, write);
    manifests.push({ ...manifest, platform: { architecture, os: "linux" } });
  }
  const [first] = manifests;
  if (first === undefined) throw new Error("an image needs a platform");
  const list = "application/vnd.oci.image.index.v1+json";
  const image =
    manifests.length === 1
      ? first
      : await write(JSON.stringify({ schemaVersion: 2, mediaType: list, manifests }), list);
  const annotations = {
    "io.containerd.image.name": fullName(name),
    "org.opencontainers.image.ref.name": name.slice(name.lastIndexOf(":") + 1),
  };
  const index = { schemaVersion: 2, manifests: [{ ...image, annotations }] };
  await writeFile(join(layout, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(layout, "index.json"), JSON.stringify(index));
  const unfinished = `${output}.new`;
  await rm(unfinished, { force: true });
  await run("tar", [...REPRODUCIBLE, SAME_MODES, "-cf", unfinished, "-C", layout, "."]);
  await rename(unfinished, output);
  return image.digest;
}

async function writeManifest(
  {
    root,
    architecture,
    work,
    facts,
  }: { root: string; architecture: string; work: string; facts: ImageFacts },
  write: Write,
): Promise<Blob> {
  const layerFile = join(work, "layer.tar");
  await run("tar", [...REPRODUCIBLE, "-cf", layerFile, "-C", root, "."]);
  const layer = await readFile(layerFile);
  const layerBlob = await write(
    gzipSync(layer, { level: 6 }),
    "application/vnd.oci.image.layer.v1.tar+gzip",
  );
  const config = await write(
    JSON.stringify({
      architecture,
      os: "linux",
      rootfs: { type: "layers", diff_ids: [`sha256:${sha256(layer)}`] },
      config: {
        Entrypoint: facts.entrypoint,
        Env: facts.environment,
        User: facts.user,
        WorkingDir: facts.workingDirectory,
      },
    }),
    "application/vnd.oci.image.config.v1+json",
  );
  return await write(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config,
      layers: [layerBlob],
    }),
    "application/vnd.oci.image.manifest.v1+json",
  );
}

/** What a container runtime makes of a name without a host. */
function fullName(name: string): string {
  const parts = name.split("/");
  const hasHost = parts.length > 1 && /[.:]|^localhost$/.test(parts[0] ?? "");
  if (hasHost) return name;
  return `docker.io/${parts.length === 1 ? "library/" : ""}${name}`;
}

function sha256(content: Buffer | string): string {
  return createHash("sha256").update(content).digest("hex");
}
