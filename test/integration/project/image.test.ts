/** The container image that `make image` makes: what is in it runs with nothing else there. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import nodeJSON from "../../../image/node/package.json" with { type: "json" };
import packageJSON from "../../../package.json" with { type: "json" };
import { buildImage } from "../../../image/build-image.ts";
import { IMAGE_FACTS } from "../../../image/image-facts.ts";
import { ChatClient } from "../../support/agent/chat-client.ts";
import { anAgentConfig, aPrompt } from "../../support/builders/agent-config.ts";
import { folderForAllTests, forAllTests } from "../../support/builders/fixtures.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../../..");
/** Whom the image runs as, where a test may become that. */
const NOBODY = process.getuid?.() === 0 ? { uid: 65_532, gid: 65_532 } : {};

// oxlint-disable-next-line typescript/no-explicit-any -- the format of somebody else
type Blob = any;

const folder = folderForAllTests();
const image = forAllTests(() => unpackedImage(folder()));

async function unpackedImage(folder: string) {
  await chmod(folder, 0o755);
  // Somebody builds who keeps files to themselves.
  const umask = process.umask(0o077);
  try {
    await buildImage(join(folder, "image.tar"), "omnia:test");
  } finally {
    process.umask(umask);
  }
  await run("mkdir", [join(folder, "layout"), join(folder, "root")]);
  await run("tar", ["-xf", join(folder, "image.tar"), "-C", join(folder, "layout")]);
  const read = async (file: string): Promise<Blob> => JSON.parse(await readFile(file, "utf8"));
  const blob = ({ digest }: { digest: string }): string =>
    join(folder, "layout/blobs/sha256", digest.slice("sha256:".length));
  const index = await read(join(folder, "layout/index.json"));
  const manifest = await read(blob(index.manifests[0]));
  const { config } = await read(blob(manifest.config));
  const layer = blob(manifest.layers[0]);
  const root = join(folder, "root");
  await run("tar", ["-xpzf", layer, "-C", root]);
  const found = async (name: string): Promise<string> =>
    (await run("find", [root, "-name", name])).stdout.trim().split("\n")[0] ?? "";
  const libraries = join(await found("libc.so.*"), "..");
  const entrypoint: string[] = config.Entrypoint.map((path: string) => join(root, path));
  /** The loader of the image with the libraries of the image, and the program: nothing of this machine. */
  const command = [await found("ld-linux*"), "--library-path", libraries, ...entrypoint] as const;
  return { index, layer, config, command };
}

async function inImage(...args: string[]): Promise<string> {
  const [loader, ...before] = image().command;
  const { stdout } = await run(loader, [...before, ...args], { env: {}, cwd: "/", ...NOBODY });
  return stdout;
}

describe("the container image", () => {
  it("says who it is, and how it is run", () => {
    expect(image().index.manifests[0].annotations["io.containerd.image.name"]).toMatch(
      /\/omnia:test$/,
    );
    expect(image().config).toMatchObject({
      Entrypoint: IMAGE_FACTS.entrypoint,
      User: "65532:65532",
      WorkingDir: "/app",
    });
  });

  it("can be read by its user, whoever built it", async () => {
    const { stdout } = await run("tar", ["-tvzf", image().layer], {
      maxBuffer: 16 * 1024 * 1024,
    });
    const lines = stdout.trim().split("\n");
    expect(lines.length).toBeGreaterThan(10);
    expect(lines.filter((line) => !/^(?:-r..r..r..|dr.xr.xr.[xt]) /.test(line))).toEqual([]);
  });

  it("runs the program from its own files alone", async () => {
    expect((await inImage("--version")).trim()).toBe(packageJSON.version);
    expect(await inImage("crds")).toContain("kind: CustomResourceDefinition");
    await expect(inImage("operator")).rejects.toThrow("No cluster is configured.");
  });

  it("runs an agent that answers", async () => {
    const configFile = join(folder(), "agent.json");
    await writeFile(configFile, JSON.stringify(anAgentConfig()), { mode: 0o644 });
    const [loader, ...before] = image().command;
    const ports = ["--host", "127.0.0.1", "--port", "0", "--management-port", "0"];
    const child = spawn(loader, [...before, "agent", ...ports], {
      env: { OMNIA_CONFIG: configFile },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      ...NOBODY,
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const [{ facadePort, managementPort }] = (await once(child, "message")) as [
      { facadePort: number; managementPort: number },
    ];
    expect((await fetch(`http://127.0.0.1:${managementPort}/readyz`)).status).toBe(200);
    const client = await ChatClient.connect(`ws://127.0.0.1:${facadePort}/ws`);
    client.say("Are you there?");
    await expect
      .poll(() => client.frames.at(-1))
      .toMatchObject({ type: "done", content: "Are you there?" });
  });

  it("has the agent at the paths that its page has others copy, and it runs a runtime from there", async () => {
    const page = await readFile(join(ROOT, "docs/runtimes.md"), "utf8");
    const copied = [...page.matchAll(/^COPY --from=omnia:(\S+) (\S+) (\S+)$/gm)];
    expect(copied.map(([, , from, to]) => [from, to])).toEqual(
      IMAGE_FACTS.agentLayer.map((path) => [path, path]),
    );
    expect(copied.map(([, version]) => version)).toEqual(copied.map(() => packageJSON.version));
    expect(page).toContain(
      `ENTRYPOINT ${JSON.stringify(IMAGE_FACTS.entrypoint).replace(",", ", ")}\nCMD ["agent"]`,
    );
    expect(page).toContain(`USER ${IMAGE_FACTS.user}`);
    // Another image has these paths, libraries of its own, and a folder with the runtime.
    const other = join(folder(), "other");
    for (const path of IMAGE_FACTS.agentLayer) {
      await mkdir(join(other, path, ".."), { recursive: true });
      await cp(join(folder(), "root", path), join(other, path), { recursive: true });
    }
    await mkdir(join(other, "agent"));
    await writeFile(
      join(other, "agent/app.mjs"),
      `export const run = async () => "From a module.";`,
    );
    const config = anAgentConfig({ handler: "runtime", prompt: { active: aPrompt() } });
    await writeFile(join(other, "agent.json"), JSON.stringify(config));
    const [node = "", program = ""] = IMAGE_FACTS.entrypoint.map((path) => join(other, path));
    const ports = ["--host", "127.0.0.1", "--port", "0", "--management-port", "0"];
    const child = spawn(node, [program, "agent", ...ports], {
      cwd: join(other, "agent"),
      env: { OMNIA_CONFIG: join(other, "agent.json"), OMNIA_RUNTIME: "./app.mjs" },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    onTestFinished(() => void child.kill("SIGTERM"));
    const { promise, resolve } = Promise.withResolvers<{ facadePort: number }>();
    child.on("message", (message) => {
      if ("facadePort" in (message as object)) resolve(message as { facadePort: number });
    });
    const client = await ChatClient.connect(`ws://127.0.0.1:${(await promise).facadePort}/ws`);
    expect(await client.ask("Who are you?")).toMatchObject({ content: "From a module." });
  });

  it("is the one that the Dockerfile makes", async () => {
    const dockerfile = await readFile(join(ROOT, "Dockerfile"), "utf8");
    expect(dockerfile).toContain(
      `ENTRYPOINT ${JSON.stringify(IMAGE_FACTS.entrypoint).replace(",", ", ")}`,
    );
    expect(dockerfile).toContain(`USER ${IMAGE_FACTS.user}`);
    expect(dockerfile).toContain(`WORKDIR ${IMAGE_FACTS.workingDirectory}`);
    const major = nodeJSON.version.split(".")[0];
    expect(dockerfile).toContain(`ARG NODE_IMAGE=node:${major}-slim\n`);
    // Who names an image by its digest has named it for both stages.
    const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
    expect(bases).toEqual(["${NODE_IMAGE}", "${NODE_IMAGE}"]);
  });
});
