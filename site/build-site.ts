/** Builds the website of the documentation: `make docs`. */
import { execFile } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import packageJSON from "../package.json" with { type: "json" };
import { syncContent } from "./sync-content.ts";

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;
const INSTALL = join(import.meta.dirname, "../test/support/node/npm-install");

/** Builds it into the folder, whose content is replaced. Rejects when a link leads nowhere. */
export async function buildSite(
  folder: string,
  { base = "/", repository }: { base?: string | undefined; repository?: string | undefined } = {},
): Promise<void> {
  const { stdout } = await run("bash", [INSTALL, import.meta.dirname]);
  const packages = stdout.trim();
  // Astro wants its packages in the folder of the website, or in one above it.
  const work = await mkdtemp(join(packages, "site-"));
  const sources =
    repository === undefined ? undefined : `${repository}/blob/v${packageJSON.version}`;
  try {
    await syncContent(work, { base, sources });
    await astro(packages, work, base);
    await rm(folder, { recursive: true, force: true });
    await cp(join(work, "html"), folder, { recursive: true });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function astro(packages: string, work: string, base: string): Promise<void> {
  const program = join(packages, "node_modules/astro/bin/astro.mjs");
  try {
    await run(process.execPath, [program, "build", "--root", work], {
      cwd: work,
      maxBuffer: MAX_OUTPUT_BYTES,
      // Nothing else of the environment, where settings of Vite would count, such as those of the tests.
      env: {
        PATH: process.env["PATH"],
        HOME: process.env["HOME"],
        ASTRO_TELEMETRY_DISABLED: "1",
        NODE_ENV: "production",
        DOCS_BASE: base,
      },
    });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`the website cannot be built:\n${stdout}${stderr}`, { cause: error });
  }
}

if (import.meta.main) {
  const { DOCS_BASE: base, DOCS_REPOSITORY: repository } = process.env;
  const folder = join(import.meta.dirname, "dist");
  await buildSite(folder, { base, repository });
  process.stdout.write(`wrote the website to ${folder}\n`);
}
