import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../time/clock.ts";
import type { ManifestState } from "./last-good-manifests.ts";
import { PatientFiles } from "./patient-files.ts";
import { watchManifests } from "./watch.ts";
import { folderForEachTest, forEachTest } from "../../../test/support/builders/fixtures.ts";

const folder = folderForEachTest();
const ending = forEachTest(
  () => new AbortController(),
  (ending) => ending.abort(),
);

const configMap = (name: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`;
const file = (name: string): string => join(folder(), name);

/** Follows until the names of the resources are as expected. Resolves to everything that was seen until then. */
async function watching(paths: string[]) {
  const { signal } = ending();
  const patientFiles = new PatientFiles(systemClock, signal);
  const states = watchManifests({ paths, patientFiles, clock: systemClock, signal });
  const seen: string[] = [];
  const next = async (): Promise<string> => {
    const { value } = (await states.next()) as { value: ManifestState };
    const names = value.resources
      .map(({ name }) => name)
      .toSorted()
      .join(" ");
    seen.push(names);
    return names;
  };
  await next();
  return {
    seen,
    until: async (expected: string) => {
      while ((await next()) !== expected);
    },
    states,
  };
}

describe("watchManifests", () => {
  it("shows an edit, a new file, a new folder and a removed file", async () => {
    await writeFile(file("a.yaml"), configMap("a"));
    const { until, seen } = await watching([folder()]);
    expect(seen).toEqual(["a"]);
    await writeFile(file("a.yaml"), configMap("a2"));
    await until("a2");
    await mkdir(file("new/deep"), { recursive: true });
    await writeFile(file("new/deep/b.yaml"), configMap("b"));
    await until("a2 b");
    await writeFile(file("new/deep/b.yaml"), configMap("b2"));
    await until("a2 b2");
    await rm(file("a.yaml"));
    await until("b2");
  });

  it("follows a named file that an editor puts a new one in place of", async () => {
    await writeFile(file("a.yaml"), configMap("a"));
    const { until } = await watching([file("a.yaml")]);
    for (const name of ["b", "c"]) {
      await writeFile(file("a.yaml~"), configMap(name));
      await rename(file("a.yaml~"), file("a.yaml"));
      await until(name);
    }
  });

  it("does not believe in a loss while a file is being written", async () => {
    await writeFile(file("a.yaml"), configMap("a"));
    const { until, seen } = await watching([folder()]);
    await writeFile(file("a.yaml"), "");
    await new Promise((resolve) => setTimeout(resolve, 200));
    await writeFile(file("a.yaml"), `${configMap("a")}---\n${configMap("b")}`);
    await until("a b");
    expect(seen).toEqual(["a", "a b"]);
  });

  it("takes changes that come together as one", async () => {
    await writeFile(file("a.yaml"), configMap("a"));
    const { until, seen } = await watching([folder()]);
    for (const name of ["b", "c", "d", "e"]) await writeFile(file(`${name}.yaml`), configMap(name));
    await until("a b c d e");
    expect(seen).toEqual(["a", "a b c d e"]);
  });

  it("ends when it is told to", async () => {
    const { states } = await watching([folder()]);
    const last = states.next();
    ending().abort();
    expect(await last).toEqual({ done: true, value: undefined });
  });
});
