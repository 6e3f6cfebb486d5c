import { execFile } from "node:child_process";
import { lstat, open, readdir, realpath, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { folderForEachTest } from "../../../test/support/builders/fixtures.ts";
import { rejectionOf } from "../../../test/support/builders/rejection-of.ts";
import { FILE_TIMEOUT_MS, PatientFiles, type FileSystem } from "./patient-files.ts";

const folder = folderForEachTest();
const file = (name: string): string => join(folder(), name);

/** Files of a system whose folders answer only when the test lets them. */
function setUp(system: Partial<FileSystem> = {}) {
  const clock = new ManualClock();
  const ending = new AbortController();
  const real: FileSystem = {
    lstat,
    open,
    readdir: (path) => readdir(path),
    realpath: (path) => realpath(path),
    stat,
  };
  return { clock, ending, files: new PatientFiles(clock, ending.signal, { ...real, ...system }) };
}

describe("PatientFiles", () => {
  it("reads a text, and no more than one byte past the limit", async () => {
    const { files } = setUp();
    await writeFile(file("a"), "12345");
    expect(await files.read(file("a"), 100)).toBe("12345");
    expect(await files.read(file("a"), 3)).toBe("1234");
  });

  it("refuses a named pipe without waiting for its other end", async () => {
    const { files } = setUp();
    await promisify(execFile)("mkfifo", [file("pipe")]);
    expect(await rejectionOf(files.read(file("pipe"), 100))).toMatchObject({ code: "NO_FILE" });
    expect(await files.kindOf(file("pipe"))).toMatchObject({ kind: "other" });
    expect(await rejectionOf(files.read("/dev/zero", 100))).toMatchObject({ code: "NO_FILE" });
    expect(files.isHanging).toBe(false);
  });

  it("names the error of the system", async () => {
    const { files } = setUp();
    expect(await rejectionOf(files.read(file("a"), 100))).toMatchObject({ code: "ENOENT" });
    expect(await rejectionOf(files.namesIn(file("a")))).toMatchObject({ code: "ENOENT" });
    expect(await rejectionOf(files.read(file("."), 100))).toMatchObject({ code: "EISDIR" });
  });

  it("gives up what does not come back, and does not begin it again before it has", async () => {
    const answer = Promise.withResolvers<string[]>();
    let begun = 0;
    const { clock, files } = setUp({
      readdir: () => {
        begun += 1;
        return answer.promise;
      },
    });
    const refused = rejectionOf(files.namesIn("/mount"));
    await clock.advance(FILE_TIMEOUT_MS);
    expect(await refused).toMatchObject({ code: "HANGS" });
    expect(files.isHanging).toBe(true);
    expect(await rejectionOf(files.namesIn("/mount"))).toMatchObject({ code: "HANGS" });
    expect(begun).toBe(1);
    answer.resolve(["a"]);
    await clock.advance(0);
    expect(files.isHanging).toBe(false);
    expect(await files.namesIn("/mount")).toEqual(["a"]);
    expect(clock.pendingTimers).toBe(0);
  });

  it("begins nothing more when too much hangs", async () => {
    const { clock, files } = setUp({ readdir: () => new Promise(() => {}) });
    for (const mount of ["/a", "/b"]) {
      const refused = rejectionOf(files.namesIn(mount));
      await clock.advance(FILE_TIMEOUT_MS);
      expect(await refused).toMatchObject({ code: "HANGS" });
    }
    expect(await rejectionOf(files.kindOf(folder()))).toMatchObject({ code: "HANGS" });
  });

  it("ends with its signal, whatever hangs", async () => {
    const { ending, files } = setUp({ readdir: () => new Promise(() => {}) });
    const refused = rejectionOf(files.namesIn("/mount"));
    ending.abort(new Error("over"));
    expect(await refused).toMatchObject({ message: "over" });
    expect(files.isHanging).toBe(true);
  });
});
