import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readFileIfThere, syncPrivateFolder, writePrivateFile } from "./private-files.ts";
import { folderForEachTest } from "../../../test/support/builders/fixtures.ts";

const folder = folderForEachTest();

describe("private files", () => {
  it("a private file and the folders made for it are for their owner only", async () => {
    const file = join(folder(), "a", "b", "secret");
    expect(await writePrivateFile(file, "value")).toBe(true);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder(), "a"))).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder(), "a", "b"))).mode & 0o777).toBe(0o700);
  });

  it("a file that has the content already is not written again", async () => {
    const file = join(folder(), "secret");
    await writePrivateFile(file, "one");
    const before = await stat(file);
    expect(await writePrivateFile(file, "one")).toBe(false);
    expect((await stat(file)).ino).toBe(before.ino);
    expect(await writePrivateFile(file, "two")).toBe(true);
    expect(await readFile(file, "utf8")).toBe("two");
  });

  it("a folder is brought to hold the given files and no others, at any depth", async () => {
    const read = async (): Promise<Record<string, string>> => {
      const entries = await readdir(folder(), { recursive: true, withFileTypes: true });
      const files = entries
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => join(parentPath, name));
      const contents = files.map(
        async (file) => [file.slice(folder().length + 1), await readFile(file, "utf8")] as const,
      );
      return Object.fromEntries(await Promise.all(contents));
    };
    await writeFile(join(folder(), ".new-left-by-a-crash"), "");
    await syncPrivateFolder(
      folder(),
      new Map([
        ["a/1", "one"],
        ["a/2", "two"],
        ["b", "three"],
      ]),
    );
    expect(await read()).toEqual({ "a/1": "one", "a/2": "two", b: "three" });
    // One file is left as it is, one changes, and one is removed.
    await syncPrivateFolder(
      folder(),
      new Map([
        ["a/1", undefined],
        ["a/2", "new"],
        ["c", undefined],
      ]),
    );
    expect(await read()).toEqual({ "a/1": "one", "a/2": "new" });
  });

  it("a file that is not there is no error", async () => {
    expect(await readFileIfThere(join(folder(), "none"))).toBeUndefined();
    expect(await readFileIfThere(join(folder(), "none", "deeper"))).toBeUndefined();
  });
});
