import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folderForEachTest } from "../../../test/support/builders/fixtures.ts";
import { makeFolder } from "./make-folder.ts";

const folder = folderForEachTest();

describe("a folder that is made", () => {
  it("comes with those above it, with their mode, and may be there already", async () => {
    const deep = join(folder(), "a", "b", "c");
    await makeFolder(deep, 0o700);
    await makeFolder(deep, 0o755);
    for (const path of [deep, join(folder(), "a")]) {
      expect((await stat(path)).mode & 0o777).toBe(0o700);
    }
  });

  it("may be made by several at once", async () => {
    const deep = join(folder(), "a", "b", "c");
    await Promise.all([makeFolder(deep), makeFolder(deep), makeFolder(join(folder(), "a", "d"))]);
    expect((await stat(deep)).isDirectory()).toBe(true);
  });

  it.each(["/proc/x", "/proc/x/y", "/proc/self/x/y"])(
    "is refused at once where the system takes none: %s",
    async (path) => {
      await expect(makeFolder(path)).rejects.toMatchObject({ code: "ENOENT" });
    },
  );

  it("is refused where a file is, and below one", async () => {
    const file = join(folder(), "file");
    await writeFile(file, "");
    await expect(makeFolder(file)).rejects.toMatchObject({ code: "EEXIST" });
    await expect(makeFolder(join(file, "x", "y"))).rejects.toMatchObject({ code: "ENOTDIR" });
  });
});
