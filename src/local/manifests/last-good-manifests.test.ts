import { mkdir, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MAX_FILE_BYTES } from "../../api/manifest/manifest.ts";
import {
  losesResources,
  readManifests as read,
  type ManifestState,
} from "./last-good-manifests.ts";
import { ManifestParser } from "./manifest-parser.ts";
import { PatientFiles } from "./patient-files.ts";
import { systemClock } from "../../time/clock.ts";
import { folderForEachTest } from "../../../test/support/builders/fixtures.ts";

const folder = folderForEachTest();

const configMap = (name: string, value = "1"): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {key: "${value}"}\n`;
const file = (name: string): string => join(folder(), name);
const { signal } = new AbortController();
const means = {
  patientFiles: new PatientFiles(systemClock, signal),
  parser: new ManifestParser({ clock: systemClock, signal }),
};
const readManifests = (paths: string[], before?: ManifestState): Promise<ManifestState> =>
  read(paths, means, before);
const names = ({ resources }: ManifestState): string => resources.map(({ name }) => name).join(" ");
const problems = (state: ManifestState): string[] =>
  state.problems.map(
    ({ file: path, line, column, message }) =>
      `${path.slice(folder().length + 1)}:${line}:${column}: ${message}`,
  );

describe("readManifests", () => {
  it("finds manifests in a folder at any depth, by their extension, and nothing hidden", async () => {
    await mkdir(file("deep/deeper"), { recursive: true });
    await mkdir(file(".git"));
    await mkdir(file("node_modules"));
    await writeFile(file("b.yaml"), configMap("b"));
    await writeFile(file("a.YML"), configMap("a"));
    await writeFile(
      file("deep/deeper/c.json"),
      JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c" } }),
    );
    for (const ignored of ["notes.txt", ".hidden.yaml", ".git/x.yaml", "node_modules/x.yaml"]) {
      await writeFile(file(ignored), configMap("x"));
    }
    const state = await readManifests([folder()]);
    expect(names(state)).toBe("a b c");
    expect(problems(state)).toEqual([]);
  });

  it("takes a file that is named, whatever it is called, and once however often it is named", async () => {
    await writeFile(file("a.txt"), configMap("a"));
    await symlink(file("a.txt"), file("b.yaml"));
    const state = await readManifests([file("a.txt"), folder(), folder()]);
    expect([names(state), problems(state)]).toEqual(["a", []]);
  });

  it("ends in a folder that leads back to itself", async () => {
    await writeFile(file("a.yaml"), configMap("a"));
    await symlink(folder(), file("again"));
    expect(names(await readManifests([folder()]))).toBe("a");
  });

  it("refuses a path that is not there, with the cure", async () => {
    await expect(readManifests([folder(), file("none.yaml")])).rejects.toMatchObject({
      name: "UpError",
      message: `There is no such file or folder: ${file("none.yaml")}`,
      cure: "-f takes manifests, or folders that hold some.",
    });
  });

  it("collects what is wrong with its place, and takes everything else", async () => {
    await writeFile(
      file("a.yaml"),
      `${configMap("a")}---\nkind: ConfigMap\n---\n${configMap("b")}`,
    );
    await writeFile(file("b.yaml"), "key:\n\t- tab\n");
    await writeFile(file("c.yaml"), configMap("c"));
    const state = await readManifests([folder()]);
    expect(names(state)).toBe("a b c");
    expect(problems(state)).toEqual([
      expect.stringMatching(/^a\.yaml:6:1: apiVersion: required/),
      expect.stringMatching(/^b\.yaml:2:1: a tab/),
    ]);
  });

  it("of two resources with one name takes the first, and says where both are", async () => {
    await writeFile(file("a.yaml"), configMap("same", "first"));
    await writeFile(file("b.yaml"), configMap("same", "second"));
    const state = await readManifests([folder()]);
    expect(state.resources.map(({ value }) => (value as { data?: object }).data)).toEqual([
      { key: "first" },
    ]);
    expect(problems(state)).toEqual([expect.stringMatching(/^b\.yaml:3:\d+: .*a\.yaml:3/)]);
  });

  it("does not read a file that is too large", async () => {
    await writeFile(file("large.yaml"), Buffer.alloc(MAX_FILE_BYTES + 1, "#"));
    await writeFile(file("small.yaml"), configMap("small"));
    const state = await readManifests([folder()]);
    expect(names(state)).toBe("small");
    expect(problems(state)).toEqual([expect.stringMatching(/^large\.yaml:1:1: .*larger/)]);
  });
});

describe("readManifests, again", () => {
  it("answers the state before when no file was touched", async () => {
    await writeFile(file("a.yaml"), configMap("a"));
    const before = await readManifests([folder()]);
    expect(await readManifests([folder()], before)).toBe(before);
  });

  it("sees an edit, a new file and a removed one", async () => {
    await writeFile(file("a.yaml"), configMap("a"));
    await writeFile(file("b.yaml"), configMap("b"));
    const before = await readManifests([folder()]);
    await writeFile(file("a.yaml"), configMap("a2"));
    await writeFile(file("c.yaml"), configMap("c"));
    await rm(file("b.yaml"));
    const after = await readManifests([folder()], before);
    expect(names(after)).toBe("a2 c");
    expect(losesResources(before, after)).toBe(true);
    expect(losesResources(after, after)).toBe(false);
  });

  it("keeps what a file declared before it went bad, until it is good again", async () => {
    await writeFile(file("a.yaml"), `${configMap("one")}---\n${configMap("two")}`);
    let state = await readManifests([folder()]);
    await writeFile(file("a.yaml"), "{ not yaml");
    state = await readManifests([folder()], state);
    expect(names(state)).toBe("one two");
    expect(problems(state)).toHaveLength(1);
    // The file still has errors, but others.
    await writeFile(file("a.yaml"), `${configMap("one", "2")}---\nkind: Nonsense\n`);
    state = await readManifests([folder()], state);
    expect(names(state)).toBe("one two");
    expect(state.resources[0]?.value).toMatchObject({ data: { key: "2" } });
    await writeFile(file("a.yaml"), configMap("one"));
    state = await readManifests([folder()], state);
    expect([names(state), problems(state)]).toEqual(["one", []]);
  });

  it("keeps what a file declared while it cannot be read, and says so", async () => {
    await mkdir(file("folder"));
    await writeFile(file("folder/a.yaml"), configMap("a"));
    let state = await readManifests([folder()]);
    await rename(file("folder"), file("elsewhere.d"));
    await symlink(file("folder"), file("folder"));
    await rm(file("elsewhere.d"), { recursive: true });
    state = await readManifests([folder()], state);
    expect([names(state), problems(state)]).toEqual([
      "a",
      [expect.stringMatching(/^folder:1:1: .*ELOOP/)],
    ]);
    await rm(file("folder"));
    state = await readManifests([folder()], state);
    expect([names(state), problems(state)]).toEqual(["", []]);
  });

  it("prefers what another file declares now to what a bad file declared before", async () => {
    await writeFile(file("a.yaml"), configMap("moved", "old"));
    const before = await readManifests([folder()]);
    await writeFile(file("a.yaml"), "{ not yaml");
    await writeFile(file("b.yaml"), configMap("moved", "new"));
    const after = await readManifests([folder()], before);
    expect(after.resources.map(({ value }) => (value as { data?: object }).data)).toEqual([
      { key: "new" },
    ]);
    expect(problems(after)).toHaveLength(1);
  });

  it("sees an edit that leaves size and time of change as they were set", async () => {
    await writeFile(file("a.yaml"), configMap("a"));
    const time = new Date(1_700_000_000_000);
    await utimes(file("a.yaml"), time, time);
    const before = await readManifests([folder()]);
    await writeFile(file("a.yaml"), configMap("b"));
    await utimes(file("a.yaml"), time, time);
    expect(names(await readManifests([folder()], before))).toBe("b");
  });

  it("removes what a path declared that is not there any more, and says so", async () => {
    await writeFile(file("a.yaml"), configMap("a"));
    const before = await readManifests([file("a.yaml")]);
    await rm(file("a.yaml"));
    const after = await readManifests([file("a.yaml")], before);
    expect([names(after), problems(after)]).toEqual([
      "",
      ["a.yaml:1:1: this file or folder is not there any more"],
    ]);
  });
});
