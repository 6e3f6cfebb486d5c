/** The page about the command line: what it shows is what happens. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { startOmnia } from "../../support/processes/omnia-process.ts";
import { folderForAllTests, forAllTests } from "../../support/builders/fixtures.ts";

const ROOT = join(import.meta.dirname, "../../..");
const page = readFileSync(join(ROOT, "docs/command-line.md"), "utf8");
/** Blocks like "$ command", what it prints, and in brackets the exit code when it is not 0. */
const blocks = [...page.matchAll(/^```\n\$ (.+)\n([^]*?)^```$/gm)].map(
  ([, command = "", shown = ""]) => ({ command, shown }),
);

const home = folderForAllTests();
const up = forAllTests(
  () => startOmnia(["up", "--port", "0", "--no-open"], { env: environment(), cwd: ROOT }),
  (up) => up[Symbol.asyncDispose](),
);
const port = forAllTests(async () => (await up().shows(/Serving at http:\S+:(\d+)/))[1] ?? "");
beforeAll(async () => {
  await up().shows(/Talk to it/);
});

function environment(): Record<string, string> {
  return {
    HOME: home(),
    TMPDIR: home(),
    XDG_STATE_HOME: join(home(), "state"),
    OMNIA_DEMO_PAUSES: "off",
  };
}

describe("the page about the command line", () => {
  it("has examples", () => {
    expect(blocks.length).toBeGreaterThan(8);
  });

  it.for(blocks)("$command", async ({ command, shown }) => {
    const { code, output } = await run(command);
    const printed = code === 0 ? output : `${output}[${code}]\n`;
    expect(printed.replaceAll(`localhost:${port()}`, "localhost:8080")).toMatch(asPattern(shown));
  });
});

/** The sources run here, whatever was bundled before. */
function run(command: string): Promise<{ code: number; output: string }> {
  const env = { ...environment(), PATH: process.env["PATH"] ?? "", NODE: process.execPath };
  const line = `set -o pipefail; ${command.replaceAll("./omnia", '"$NODE" bin/omnia.ts')}`;
  return new Promise((resolve) => {
    const child = execFile("bash", ["-c", `{ ${line}; } 2>&1`], { cwd: ROOT, env }, (_, output) =>
      resolve({ code: child.exitCode ?? 1, output }),
    );
    child.stdin?.end();
  });
}

/** "…" is anything; at the end of a line, anything that follows, further lines too. */
function asPattern(shown: string): RegExp {
  const escaped = shown.split("…").map((part) => RegExp.escape(part));
  return new RegExp(`^${escaped.join("[^]*?")}$`);
}
