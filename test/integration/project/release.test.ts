/** `make release`: what it refuses, what it writes, and that it builds the same twice. The artifacts are of small parts, in a checkout of the test's own. */
import { execFile } from "node:child_process";
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import { cp, mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import packageJSON from "../../../package.json" with { type: "json" };
import { readElf } from "../../../image/elf-libraries.ts";
import { buildArtifacts } from "../../../release/build-artifacts.ts";
import {
  CHANGELOG,
  releasedFiles,
  type ReleaseState,
  VERSIONED_FILES,
  whyNotReleased,
} from "../../../release/plan-release.ts";
import { LAST_CHART, release } from "../../../release/release.ts";
import { type ReleaseSettings, readReleaseSettings } from "../../../release/release-settings.ts";
import { readKey } from "../../../release/sign-checksums.ts";
import { folderForEachTest } from "../../support/builders/fixtures.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../../..");
const NOW = new Date("2026-02-03T04:05:06Z");
const NEXT = "9.1.0";

const folder = folderForEachTest();

function aState(state: Partial<ReleaseState> = {}): ReleaseState {
  const changelog = "# Changelog\n\n## Unreleased\n\n### Added\n\n- A thing.\n";
  return { version: "0.2.0", current: "0.1.0", changes: [], tags: [], changelog, ...state };
}

async function versionedFiles(): Promise<Map<string, string>> {
  const paths = [...Object.keys(VERSIONED_FILES), CHANGELOG];
  return new Map(
    await Promise.all(
      paths.map(async (path) => [path, await readFile(join(ROOT, path), "utf8")] as const),
    ),
  );
}

/** A repository with the files that a release changes, and nothing that is not committed. */
async function aCheckout(): Promise<{
  project: string;
  git: (...args: string[]) => Promise<string>;
}> {
  const project = join(folder(), "checkout");
  for (const [path, text] of await versionedFiles()) {
    await mkdir(join(project, path, ".."), { recursive: true });
    const isChangelog = path === CHANGELOG;
    await writeFile(join(project, path), isChangelog ? aState().changelog : text);
  }
  await mkdir(join(project, LAST_CHART, ".."), { recursive: true });
  await writeFile(join(project, LAST_CHART), "the chart of before");
  const git = async (...args: string[]): Promise<string> =>
    (await run("git", args, { cwd: project })).stdout;
  await git("init", "--quiet");
  await git("config", "user.name", "Somebody");
  await git("config", "user.email", "somebody@example.com");
  await git("add", ".");
  await git("commit", "--quiet", "-m", "First");
  return { project, git };
}

describe("a version", () => {
  it.each(["0.2.0", "0.1.0", "1.0.0-rc.1", "0.10.0"])("may be %s", (version) => {
    expect(whyNotReleased(aState({ version }))).toBeUndefined();
  });

  it.each([
    "",
    "1",
    "1.0",
    "v1.0.0",
    "01.0.0",
    "1.0.0-",
    "1.0.0+b",
    "1.0.0 ",
    "--dry-run",
    "1.0.0-A",
  ])("may not be %j", (version) => {
    expect(whyNotReleased(aState({ version }))).toMatch(/is no version/);
  });

  it.each([
    ["0.1.0", "0.2.0"],
    ["0.9.0", "0.10.0"],
    ["1.0.0-rc.1", "1.0.0"],
    ["1.0.0-rc.2", "1.0.0-rc.10"],
    ["1.0.0-1", "1.0.0-a"],
    ["1.0.0-rc", "1.0.0-rc.1"],
  ])("may not be %s after %s, and the other way round it may", (lesser, greater) => {
    expect(whyNotReleased(aState({ version: lesser, current: greater }))).toMatch(/comes before/);
    expect(whyNotReleased(aState({ version: greater, current: lesser }))).toBeUndefined();
  });

  it.each<[string, Partial<ReleaseState>, RegExp]>([
    ["with a tag", { tags: ["v0.1.0", "v0.2.0"] }, /the tag v0\.2\.0 is there already/],
    ["with changes", { changes: ["a.ts"] }, /not committed: a\.ts/],
    [
      "without notes",
      { changelog: "# C\n\n## Unreleased\n\n### Added\n\n## 0.1.0 - x\n\n- A\n" },
      /nothing/,
    ],
    ["without a changelog", { changelog: "" }, /nothing under Unreleased/],
  ])("is not released %s", (_what, state, words) => {
    expect(whyNotReleased(aState(state))).toMatch(words);
  });
});

describe("the files of a release", () => {
  it("have the new version in every place, and nothing else new", async () => {
    const files = await versionedFiles();
    const from = packageJSON.version;
    const released = releasedFiles(files, { from, to: NEXT, date: "2026-02-03" });
    for (const [path, times] of Object.entries(VERSIONED_FILES)) {
      const [old, text] = [
        files.get(path)?.split("\n") ?? [],
        released.get(path)?.split("\n") ?? [],
      ];
      const changed = text.filter((line, index) => line !== old[index]);
      expect(changed.length).toBe(times);
      expect(changed.every((line) => line.includes(NEXT))).toBe(true);
      expect(text.length).toBe(old.length);
    }
    const changelog = released.get(CHANGELOG) ?? "";
    expect(changelog).toContain(`\n## Unreleased\n\n## ${NEXT} - 2026-02-03\n\n###`);
    // A second release takes what came since the first one.
    expect(whyNotReleased(aState({ version: "9.2.0", current: NEXT, changelog }))).toMatch(
      /nothing/,
    );
    const again = releasedFiles(released, { from: NEXT, to: from, date: "2026-02-04" });
    for (const path of Object.keys(VERSIONED_FILES)) expect(again.get(path)).toBe(files.get(path));
  });

  it("are refused when one of them does not have the version where it should", async () => {
    for (const path of Object.keys(VERSIONED_FILES)) {
      const files = new Map([...(await versionedFiles()), [path, "version: 7\n"]]);
      const change = { from: packageJSON.version, to: NEXT, date: "2026-02-03" };
      expect(() => releasedFiles(files, change)).toThrow(path);
    }
  });
});

describe("make release", () => {
  it("commits and tags what it has built, and pushes nothing", async () => {
    const { project, git } = await aCheckout();
    const said: string[] = [];
    const built: string[] = [];
    const build = async (version: string): Promise<void> => {
      const { version: written } = JSON.parse(
        await readFile(join(project, "package.json"), "utf8"),
      ) as { version: string };
      built.push(version, written);
    };
    const surroundings = { project, now: NOW, say: (line: string) => said.push(line), build };
    expect(await release(NEXT, { isDryRun: false }, surroundings)).toBeUndefined();
    expect(built).toEqual([NEXT, NEXT]);
    expect(await git("status", "--porcelain")).toBe("");
    expect((await git("log", "-1", "--format=%s")).trim()).toBe(`Release ${NEXT}`);
    expect((await git("describe", "--exact-match")).trim()).toBe(`v${NEXT}`);
    expect(await git("show", `HEAD:${CHANGELOG}`)).toContain(`## ${NEXT} - 2026-02-03`);
    expect(said.join("\n")).toContain("git push --follow-tags");
    // The next versions are upgraded from this one.
    const chart = ["-xOf", join(project, LAST_CHART), "omnia/Chart.yaml"];
    expect(parse((await run("tar", chart)).stdout)).toMatchObject({ version: NEXT });
    expect(await release(NEXT, { isDryRun: false }, surroundings)).toMatch(/is there already/);
  });

  it("leaves the files and the history as they were after a dry run, after a failure, and when it refuses", async () => {
    const { project, git } = await aCheckout();
    const before = await git("rev-parse", "HEAD");
    const surroundings = { project, now: NOW, say: () => {}, build: async () => {} };
    await release(NEXT, { isDryRun: true }, surroundings);
    const build = (): Promise<void> => Promise.reject(new Error("no space left"));
    const failed = release(NEXT, { isDryRun: false }, { ...surroundings, build });
    await expect(failed).rejects.toThrow("no space left");
    await writeFile(join(project, ".git/hooks/pre-commit"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    const refused = release(NEXT, { isDryRun: false }, surroundings);
    await expect(refused).rejects.toThrow("git commit");
    expect(await git("status", "--porcelain")).toBe("");
    await writeFile(join(project, "new.ts"), "");
    const refusal = await release(NEXT, { isDryRun: false }, surroundings);
    expect(refusal).toBe("there are changes that are not committed: new.ts");
    expect(await git("rev-parse", "HEAD")).toBe(before);
    expect(await git("tag", "--list")).toBe("");
    expect(await git("status", "--porcelain")).toBe("?? new.ts\n");
  });
});

/** A checkout with little in it, whose files were written at another time in each. */
async function smallProject(name: string, at: Date): Promise<string> {
  const project = join(folder(), name);
  await mkdir(join(project, "dist"), { recursive: true });
  await mkdir(join(project, "examples/echo"), { recursive: true });
  await cp(join(ROOT, "charts/omnia"), join(project, "charts/omnia"), { recursive: true });
  const packed = { name: "omnia", version: NEXT, private: true, files: ["dist", "examples"] };
  for (const [path, text] of Object.entries({
    "package.json": JSON.stringify(packed),
    "dist/omnia.js": "export {};",
    "dist/sbom.cdx.json": "{}\n",
    "examples/echo/agent.yaml": "kind: AgentRuntime\n",
    node: "the program",
    "libc.so.6": "a library",
  })) {
    await writeFile(join(project, path), text);
    await utimes(join(project, path), at, at);
  }
  return project;
}

async function artifactsOf(
  project: string,
  settings: Partial<ReleaseSettings> = {},
): Promise<string> {
  const files = {
    node: join(project, "node"),
    libraries: new Map([["/lib/libc.so.6", join(project, "libc.so.6")]]),
  };
  const output = `${project}-out`;
  await buildArtifacts({
    project,
    version: NEXT,
    output,
    repository: "registry.example.com/team/omnia",
    npm: undefined,
    signingKeyFile: undefined,
    platforms: new Map([
      ["amd64", files],
      ["arm64", files],
    ]),
    ...settings,
  });
  return output;
}

async function aKey(file: string): Promise<KeyObject> {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  await writeFile(file, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  return publicKey;
}

describe("the artifacts", () => {
  it("are the same from the same sources, whenever and by whom they are built", async () => {
    const first = await artifactsOf(await smallProject("one", new Date("2001-01-01")));
    const sums = await readFile(join(first, "SHA256SUMS"), "utf8");
    for (const mask of [0o077, 0o002]) {
      const umask = process.umask(mask);
      const again = await smallProject(`with-${mask}`, NOW)
        .then((project) => artifactsOf(project))
        .finally(() => process.umask(umask));
      expect(await readFile(join(again, "SHA256SUMS"), "utf8")).toBe(sums);
    }
    const names = await readdir(first);
    expect(names.toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
      "SHA256SUMS",
      `omnia-chart-${NEXT}.tgz`,
      `omnia-image-${NEXT}.tar`,
      `omnia-npm-${NEXT}.tgz`,
      `omnia-sbom-${NEXT}.cdx.json`,
    ]);
    await run("sha256sum", ["--check", "--strict", "SHA256SUMS"], { cwd: first });
    expect(sums.trim().split("\n")).toHaveLength(names.length - 1);
  });

  it("are an image for both platforms, and a chart that names it by its digest", async () => {
    const output = await artifactsOf(await smallProject("one", NOW));
    const read = async (archive: string, path: string): Promise<string> =>
      (await run("tar", ["-xOf", join(output, archive), path])).stdout;
    const image = `omnia-image-${NEXT}.tar`;
    const [listed] = JSON.parse(await read(image, "./index.json")).manifests;
    expect(listed.annotations).toEqual({
      "io.containerd.image.name": `registry.example.com/team/omnia:${NEXT}`,
      "org.opencontainers.image.ref.name": NEXT,
    });
    const blob = (digest: string): Promise<string> =>
      read(image, `./blobs/${digest.replace(":", "/")}`);
    const { manifests } = JSON.parse(await blob(listed.digest));
    expect(manifests.map(({ platform }: { platform: object }) => platform)).toEqual([
      { architecture: "amd64", os: "linux" },
      { architecture: "arm64", os: "linux" },
    ]);
    const values = parse(await read(`omnia-chart-${NEXT}.tgz`, "omnia/values.yaml"));
    expect(values.image).toMatchObject({
      repository: "registry.example.com/team/omnia",
      digest: listed.digest,
    });
    expect(await read(`omnia-npm-${NEXT}.tgz`, "package/dist/omnia.js")).toBe("export {};");
  });

  it("are a package of npm that is private, unless it is said under which name it is published", async () => {
    const packageOf = async (settings: Partial<ReleaseSettings>): Promise<object> => {
      const output = await artifactsOf(await smallProject("one", NOW), settings);
      const archive = join(output, `omnia-npm-${NEXT}.tgz`);
      const { stdout } = await run("tar", ["-xOf", archive, "package/package.json"]);
      return JSON.parse(stdout) as object;
    };
    const files = ["dist", "examples"];
    expect(await packageOf({})).toEqual({ name: "omnia", version: NEXT, private: true, files });
    const [name, sources] = ["@owner/omnia", "https://example.com/owner/omnia"];
    expect(await packageOf({ npm: { name, sources } })).toEqual({
      name,
      version: NEXT,
      files,
      repository: { type: "git", url: "git+https://example.com/owner/omnia.git" },
    });
    expect(await packageOf({ npm: { name, sources: undefined } })).toEqual({
      name,
      version: NEXT,
      files,
    });
  });

  it("are signed where a key is given, so that OpenSSL can tell", async () => {
    const keyFile = join(folder(), "key.pem");
    const publicFile = join(folder(), "public.pem");
    const project = await smallProject("one", NOW);
    const publicKey = await aKey(keyFile);
    await writeFile(publicFile, publicKey.export({ type: "spki", format: "pem" }));
    const output = await artifactsOf(project, { signingKeyFile: keyFile });
    const signed = ["-rawin", "-in", "SHA256SUMS", "-sigfile", "SHA256SUMS.sig"];
    const verify = ["pkeyutl", "-verify", "-pubin", "-inkey", publicFile, ...signed];
    const { stdout } = await run("openssl", verify, { cwd: output });
    expect(stdout).toContain("Signature Verified Successfully");
    await writeFile(join(output, "SHA256SUMS"), "other\n");
    await expect(run("openssl", verify, { cwd: output })).rejects.toThrow(/Command failed/);
  });

  it("are signed by no other key, and what is in a wrong file is not said", async () => {
    const file = join(folder(), "key.pem");
    await expect(readKey(file)).rejects.toThrow("cannot be read: ENOENT");
    const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    const publicPem = createPublicKey(
      createPrivateKey(other.export({ type: "pkcs8", format: "pem" })),
    );
    for (const text of [
      "s3cret",
      other.export({ type: "pkcs8", format: "pem" }),
      publicPem.export({ type: "spki", format: "pem" }),
    ]) {
      await writeFile(file, text);
      await expect(readKey(file)).rejects.toThrow(
        /^the file that OMNIA_SIGNING_KEY names holds no private Ed25519 key in PEM$/,
      );
    }
  });
});

describe("the environment of a release", () => {
  const sources = "https://github.com/owner/omnia";

  it("says where it is published, and nothing where a variable is empty", () => {
    const nothing = { repository: undefined, npm: undefined, signingKeyFile: undefined };
    expect(readReleaseSettings({})).toEqual(nothing);
    const empty = { IMAGE: "", NPM_PACKAGE: "", SOURCE_REPOSITORY: "", OMNIA_SIGNING_KEY: "" };
    expect(readReleaseSettings(empty)).toEqual(nothing);
    expect(readReleaseSettings({ SOURCE_REPOSITORY: sources })).toEqual(nothing);
    expect(
      readReleaseSettings({
        IMAGE: "localhost:5000/owner/the_omnia",
        NPM_PACKAGE: "@owner/omnia",
        SOURCE_REPOSITORY: sources,
        OMNIA_SIGNING_KEY: "key.pem",
      }),
    ).toEqual({
      repository: "localhost:5000/owner/the_omnia",
      npm: { name: "@owner/omnia", sources },
      signingKeyFile: "key.pem",
    });
  });

  it.each([
    ["IMAGE", "ghcr.io/owner/omnia:1.0.0"],
    ["IMAGE", "ghcr.io/Owner/omnia"],
    ["IMAGE", "omnia"],
    ["IMAGE", "https://ghcr.io/owner/omnia"],
    ["NPM_PACKAGE", "@Owner/omnia"],
    ["NPM_PACKAGE", "owner/omnia"],
    ["SOURCE_REPOSITORY", "http://github.com/owner/omnia"],
    ["SOURCE_REPOSITORY", "git@github.com:owner/omnia.git"],
    ["SOURCE_REPOSITORY", "https://github.com/owner/omnia.git"],
    ["SOURCE_REPOSITORY", "https://somebody:secret@github.com/owner/omnia"],
  ])("may not have %s=%s", (name, value) => {
    expect(() => readReleaseSettings({ [name]: value })).toThrow(new RegExp(`^${name}: give `));
  });
});

describe("the libraries of a program", () => {
  it("are those that ldd names", async () => {
    const { architecture, loader, needed } = readElf(await readFile(process.execPath));
    expect(["amd64", "arm64"]).toContain(architecture);
    const { stdout } = await run("ldd", [process.execPath]);
    for (const library of [loader ?? "none", ...needed]) expect(stdout).toContain(library);
    expect(needed.some((name) => name.startsWith("libc.so"))).toBe(true);
  });

  it("are not guessed for what is no program", () => {
    expect(() => readElf(Buffer.from("#!/bin/sh\n"))).toThrow(/no 64-bit ELF file/);
    expect(() => readElf(Buffer.alloc(64))).toThrow(/no 64-bit ELF file/);
  });
});
