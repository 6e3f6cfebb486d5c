/** The container image that `make image` makes: what is in it runs with nothing else there. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import packageJSON from "../../package.json" with { type: "json" };
import { buildImage } from "../../image/build-image.ts";
import { IMAGE_FACTS } from "../../image/image-facts.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../..");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "omnia-image-test-"));
  await buildImage(join(folder, "image.tar"), "omnia:test");
  await run("mkdir", [join(folder, "layout"), join(folder, "root")]);
  await run("tar", ["-xf", join(folder, "image.tar"), "-C", join(folder, "layout")]);
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

// oxlint-disable-next-line typescript/no-explicit-any -- the format of somebody else
type Blob = any;
const layout = (path: string): string => join(folder, "layout", path);
const blob = async ({ digest }: { digest: string }): Promise<Blob> =>
  JSON.parse(await readFile(layout(`blobs/sha256/${digest.slice("sha256:".length)}`), "utf8"));

test("runs the program as nobody, from its own files alone", async () => {
  const index: Blob = JSON.parse(await readFile(layout("index.json"), "utf8"));
  expect(index.manifests[0].annotations["io.containerd.image.name"]).toMatch(/\/omnia:test$/);
  const manifest = await blob(index.manifests[0]);
  const { config } = await blob(manifest.config);
  expect(config).toMatchObject({
    Entrypoint: IMAGE_FACTS.entrypoint,
    User: "65532:65532",
    WorkingDir: "/app",
  });
  const layer = layout(`blobs/sha256/${manifest.layers[0].digest.slice("sha256:".length)}`);
  await run("tar", ["-xzf", layer, "-C", join(folder, "root")]);

  // The loader of the image with the libraries of the image: nothing of this machine, and no right to change its root.
  const root = join(folder, "root");
  const { stdout: loaders } = await run("find", [root, "-name", "ld-linux*"]);
  const { stdout: libraries } = await run("find", [root, "-name", "libc.so.*"]);
  const [node = "", program = ""] = config.Entrypoint;
  const { stdout } = await run(
    loaders.trim().split("\n")[0] ?? "",
    [
      "--library-path",
      join(libraries.trim().split("\n")[0] ?? "", ".."),
      join(root, node),
      join(root, program),
      "--version",
    ],
    { env: {} },
  );
  expect(stdout.trim()).toBe(packageJSON.version);
});

test("is the one that the Dockerfile makes", async () => {
  const dockerfile = await readFile(join(ROOT, "Dockerfile"), "utf8");
  expect(dockerfile).toContain(
    `ENTRYPOINT ${JSON.stringify(IMAGE_FACTS.entrypoint).replace(",", ", ")}`,
  );
  expect(dockerfile).toContain(`USER ${IMAGE_FACTS.user}`);
  expect(dockerfile).toContain(`WORKDIR ${IMAGE_FACTS.workingDirectory}`);
  const major = packageJSON.devDependencies.node.split(".")[0];
  expect(dockerfile).toContain(`FROM node:${major}-slim`);
});
