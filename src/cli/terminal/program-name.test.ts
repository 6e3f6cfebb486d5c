import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { programName } from "./program-name.ts";
import { folderForEachTest } from "../../../test/support/builders/fixtures.ts";

const root = folderForEachTest();

describe("programName", () => {
  it("is omnia where it is installed", () => {
    expect(programName(join(root(), "dist/omnia.js"), root())).toBe("omnia");
  });

  it("is the launcher of a checkout, as seen from where people are", async () => {
    await writeFile(join(root(), "omnia"), "");
    await writeFile(join(root(), "Makefile"), "");
    await mkdir(join(root(), "examples"));
    const entry = join(root(), "dist/omnia.js");
    expect(programName(entry, root())).toBe("./omnia");
    expect(programName(entry, tmpdir())).toBe(`./${root().slice(tmpdir().length + 1)}/omnia`);
    expect(programName(entry, join(root(), "examples"))).toBe(join(root(), "omnia"));
  });
});
