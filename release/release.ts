/**
 * `make release VERSION=x.y.z` and `make artifacts`. The first writes the version into the files that have it, builds the artifacts, commits
 * and tags; nothing is pushed. With `--dry-run` the files are put back afterwards, and nothing is committed. The second only builds
 * the artifacts of the version that is there. Either leaves them in release/out/VERSION.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { foreignPlatform } from "../image/foreign-platform.ts";
import { OWN_ARCHITECTURE } from "../image/oci-archive.ts";
import { type ImageFiles, ownPlatform } from "../image/root-filesystem.ts";
import { buildArtifacts } from "./build-artifacts.ts";
import { packChart } from "./pack-chart.ts";
import {
  CHANGELOG,
  releasedFiles,
  tagOf,
  VERSIONED_FILES,
  whyNotReleased,
} from "./plan-release.ts";
import { type ReleaseSettings, readReleaseSettings } from "./release-settings.ts";
import { ReleaseError } from "./release-error.ts";
import { readKey } from "./sign-checksums.ts";

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;
const ARCHITECTURES = ["amd64", "arm64"] as const;
/** What the tests of upgrades begin with, until there is another release. */
export const LAST_CHART = "test/node/charts/omnia-last.tgz";

export interface Surroundings {
  readonly project: string;
  readonly now: Date;
  readonly say: (line: string) => void;
  /** Builds the artifacts of the version. */
  readonly build: (version: string) => Promise<void>;
}

/** Answers why nothing was released, or undefined. A build that fails leaves the files as they were. */
export async function release(
  version: string,
  { isDryRun }: { isDryRun: boolean },
  { project, now, say, build }: Surroundings,
): Promise<string | undefined> {
  const git = async (...args: string[]): Promise<string> =>
    (await run("git", args, { cwd: project, maxBuffer: MAX_OUTPUT_BYTES })).stdout;
  const lines = (text: string): string[] => text.split("\n").filter((line) => line !== "");
  const lastChart = join(project, LAST_CHART);
  const chartBefore = await readFile(lastChart);
  const files = new Map<string, string>();
  for (const path of [...Object.keys(VERSIONED_FILES), CHANGELOG]) {
    files.set(path, await readFile(join(project, path), "utf8"));
  }
  const current = (JSON.parse(files.get("package.json") ?? "") as { version: string }).version;
  const refusal = whyNotReleased({
    version,
    current,
    changes: lines(await git("status", "--porcelain")).map((line) => line.slice(3)),
    tags: lines(await git("tag", "--list")),
    changelog: files.get(CHANGELOG) ?? "",
  });
  if (refusal !== undefined) return refusal;
  const date = now.toISOString().slice(0, "2026-01-31".length);
  const write = async (contents: ReadonlyMap<string, string>): Promise<void> => {
    for (const [path, text] of contents) await writeFile(join(project, path), text);
  };
  let isCommitted = false;
  try {
    await write(releasedFiles(files, { from: current, to: version, date }));
    await build(version);
    if (!isDryRun) {
      await packChart(project, { output: lastChart, image: undefined });
      const changed = [...files.keys(), LAST_CHART];
      await git("commit", "--quiet", "-m", `Release ${version}`, "--", ...changed);
      isCommitted = true;
      await git("tag", "-a", tagOf(version), "-m", `Omnia ${version}`);
    }
  } finally {
    if (!isCommitted) {
      await write(files);
      await writeFile(lastChart, chartBefore);
    }
  }
  say(`The artifacts of ${version} are in release/out/${version}`);
  say(
    isDryRun
      ? "Nothing was committed, and the files have their old version"
      : `Committed and tagged: git push --follow-tags publishes it`,
  );
  return undefined;
}

async function buildHere(
  project: string,
  settings: ReleaseSettings,
  version: string,
): Promise<void> {
  if (process.platform !== "linux") throw new Error("a release is built on Linux");
  if (settings.signingKeyFile !== undefined) await readKey(settings.signingKeyFile);
  const rolldown = join(project, "node_modules/.bin/rolldown");
  const config = ["--config", "rolldown.config.ts", "--log-level", "warn"];
  await run(process.execPath, [rolldown, ...config], {
    cwd: project,
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  const work = await mkdtemp(join(tmpdir(), "omnia-platforms-"));
  try {
    const platforms = new Map<string, ImageFiles>();
    for (const architecture of ARCHITECTURES) {
      const files =
        architecture === OWN_ARCHITECTURE
          ? await ownPlatform()
          : await foreignPlatform(architecture, { work, project });
      platforms.set(architecture, files);
    }
    const output = join(project, "release/out", version);
    await buildArtifacts({ project, version, output, platforms, ...settings });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function main(project: string, [version = "", ...flags]: string[]): Promise<void> {
  const settings = readReleaseSettings(process.env);
  const build = (wanted: string): Promise<void> => buildHere(project, settings, wanted);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  if (version === "--artifacts") {
    const text = await readFile(join(project, "package.json"), "utf8");
    const { version: current } = JSON.parse(text) as { version: string };
    await build(current);
    say(`The artifacts of ${current} are in release/out/${current}`);
    return;
  }
  const isDryRun = flags.includes("--dry-run");
  const surroundings = { project, now: new Date(), say, build };
  const refusal = await release(version, { isDryRun }, surroundings);
  if (refusal !== undefined) throw new ReleaseError(refusal);
}

if (import.meta.main) {
  try {
    await main(join(import.meta.dirname, ".."), process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof ReleaseError)) throw error;
    process.stderr.write(`Nothing is released: ${error.message}\n`);
    process.exitCode = 1;
  }
}
