import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folderForEachTest } from "../../../test/support/builders/fixtures.ts";
import { rejectionOf } from "../../../test/support/builders/rejection-of.ts";
import { writeNewFiles } from "./write-new-files.ts";

const folder = folderForEachTest();
const FILES = [
  { name: "a.yaml", about: "", text: "new a" },
  { name: "b.yaml", about: "", text: "new b" },
];

describe("writing new files", () => {
  it("makes the folder, and leaves other files in it alone", async () => {
    const deep = join(folder(), "some/where");
    await writeNewFiles(deep, FILES);
    await writeFile(join(folder(), "other.yaml"), "old");
    await writeNewFiles(folder(), FILES);
    expect((await readdir(folder())).toSorted()).toEqual([
      "a.yaml",
      "b.yaml",
      "other.yaml",
      "some",
    ]);
    expect(await readFile(join(deep, "b.yaml"), "utf8")).toBe("new b");
  });

  it("overwrites nothing, names what is there, and writes nothing then", async () => {
    await writeFile(join(folder(), "b.yaml"), "old");
    const error = await rejectionOf(writeNewFiles(folder(), FILES));
    expect(error).toMatchObject({
      message: `This file is there already: ${join(folder(), "b.yaml")}`,
      exitCode: 1,
    });
    expect(await readdir(folder())).toEqual(["b.yaml"]);
    expect(await readFile(join(folder(), "b.yaml"), "utf8")).toBe("old");
  });

  it("does not follow a link that leads nowhere", async () => {
    await symlink(join(folder(), "elsewhere"), join(folder(), "a.yaml"));
    const error = await rejectionOf(writeNewFiles(folder(), FILES));
    expect(error).toMatchObject({ message: expect.stringContaining("a.yaml") as unknown });
    expect(await readdir(folder())).toEqual(["a.yaml"]);
  });

  it("says when the folder is none", async () => {
    await writeFile(join(folder(), "file"), "");
    const inFile = join(folder(), "file");
    expect(await rejectionOf(writeNewFiles(inFile, FILES))).toMatchObject({
      name: "CliError",
      message: expect.stringContaining(`cannot be written into ${inFile}`) as unknown,
    });
  });

  it("takes back what it wrote when one of the files cannot be written", async () => {
    await mkdir(join(folder(), "c"));
    const files = [...FILES, { name: "none/c.yaml", about: "", text: "" }];
    expect(await rejectionOf(writeNewFiles(folder(), files))).toMatchObject({ exitCode: 1 });
    expect(await readdir(folder())).toEqual(["c"]);
  });
});
