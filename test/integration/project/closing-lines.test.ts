/** The end of a run of the tests, which is all that is seen of it in some places. */
import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folderForEachTest } from "../../support/builders/fixtures.ts";

const root = join(import.meta.dirname, "../../..");

describe("the last lines of a run of the tests", () => {
  const folder = folderForEachTest();

  /** Runs the tests of these files, and settles with what is printed after the summary. */
  async function lastLines(files: Record<string, string>, ...args: string[]): Promise<string[]> {
    await mkdir(folder(), { recursive: true });
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(folder(), name), text);
    }
    const vitest = join(root, "node_modules/vitest/vitest.mjs");
    const reporter = join(root, "test/support/closing-line-reporter.ts");
    const shown = [`--reporter=${reporter}`, "--globals"];
    const out = await new Promise<string>((resolve) => {
      execFile(
        process.execPath,
        [vitest, "run", "--root", folder(), ...shown, ...args],
        (_error, stdout) => resolve(stdout),
      );
    });
    return out.split("\n").filter((line) => line !== "");
  }

  it("tell of each test that failed, with the first line of its error", async () => {
    const lines = await lastLines({
      "a.test.js": `
        describe("a door", () => {
          it("opens", () => {});
          it("locks", () => { throw new TypeError("no key\\nin the house"); });
          it("counts", () => { expect({ keys: 1 }).toEqual({ keys: 2 }); });
          it["skip"]("rings", () => {});
        });
        describe("a window", () => {
          beforeAll(() => { throw new Error("it is stuck"); });
          it("opens", () => {});
        });`,
      "b.test.js": `throw new Error("not found")`,
    });
    expect(lines).toEqual([
      "FAILED a.test.js > a window: Error: it is stuck (line 9)",
      "FAILED a.test.js > a door > locks: TypeError: no key (line 4)",
      expect.stringMatching(
        /^FAILED a.test.js > a door > counts: AssertionError: expected .* \(line 5\) \| - +"keys": 2, \| \+ +"keys": 1,$/,
      ),
      "FAILED b.test.js: Error: not found (line 1)",
      "NOT RUN a.test.js: 2 of its tests",
      "1 passed, 5 failed",
    ]);
  });

  it("tell of an error outside of any test", async () => {
    const lines = await lastLines({
      "a.test.js": `it("waits", async () => {
        setTimeout(() => { throw new Error("too late"); });
        await new Promise((resolve) => setTimeout(resolve, 100));
      });`,
    });
    expect(lines).toEqual([
      expect.stringMatching(/^FAILED outside of any test: Error: too late/),
      "1 passed, 1 failed",
    ]);
  });

  it("stay few, and leave out what -t leaves out", async () => {
    const many = `for (let i = 0; i < 30; i += 1) it("fails " + i, () => { throw new Error("x".repeat(900)); });`;
    const lines = await lastLines({ "a.test.js": many });
    expect(lines.length).toBeLessThan(28);
    expect(lines.every((line) => line.length < 600)).toBe(true);
    expect(lines.slice(-2)).toEqual(["… and 10 more lines such as these", "0 passed, 30 failed"]);
    const good = await lastLines({ "a.test.js": `${many} it("holds", () => {})` }, "-t", "holds");
    expect(good).toEqual(["1 passed, 0 failed"]);
  });
});
