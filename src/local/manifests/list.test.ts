import { execFile } from "node:child_process";
import { lstat, mkdir, open, readdir, realpath, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { folderForEachTest } from "../../../test/support/builders/fixtures.ts";
import { systemClock } from "../../time/clock.ts";
import { listManifestFiles, MAX_DEPTH, MAX_FILES } from "./list.ts";
import { PatientFiles } from "./patient-files.ts";

const folder = folderForEachTest();
const file = (name: string): string => join(folder(), name);
const patientFiles = new PatientFiles(systemClock, new AbortController().signal);

async function list(
  paths = [folder()],
  files = patientFiles,
): Promise<{ names: string; unread: string[] }> {
  const { files: found, unread } = await listManifestFiles(paths, files);
  const short = (path: string): string => path.slice(folder().length + 1);
  return {
    names: found.map(({ path }) => short(path)).join(" "),
    unread: unread.map(({ path, severity, message }) => `${short(path)}: ${severity}: ${message}`),
  };
}

describe("listManifestFiles", () => {
  it("names links that lead nowhere, and goes on", async () => {
    await symlink(file("gone"), file("a.yaml"));
    await symlink(file("gone"), file("b"));
    await symlink(file("c.yaml"), file("c.yaml"));
    await writeFile(file("d.yaml"), "");
    expect(await list()).toEqual({
      names: "d.yaml",
      unread: [
        "a.yaml: error: this link leads nowhere; correct or remove it",
        "b: warning: this link leads nowhere; correct or remove it",
        "c.yaml: error: the file cannot be read (ELOOP); the link leads back to itself, so correct or remove it",
      ],
    });
  });

  it("names what is no file, and is not held up by it", async () => {
    await promisify(execFile)("mkfifo", [file("a.yaml"), file("pipe")]);
    const server = createServer();
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(file("b.yaml"), resolve));
    await symlink("/dev/zero", file("c.json"));
    const message =
      "error: this is a pipe, a socket or a device, and no file; write what it gives into a file";
    expect(await list()).toEqual({
      names: "",
      unread: [`a.yaml: ${message}`, `b.yaml: ${message}`, `c.json: ${message}`],
    });
    expect((await list([file("pipe")])).unread).toEqual([`pipe: ${message}`]);
  });

  it("leaves out what editors leave behind", async () => {
    for (const name of [".a.yaml.swp", "a.yaml~", "#a.yaml#", ".#a.yaml", "a.yaml.orig"]) {
      await writeFile(file(name), "");
    }
    expect(await list()).toEqual({ names: "", unread: [] });
  });

  it("names the first file past the limit", async () => {
    for (let index = 0; index <= MAX_FILES + 1; index += 1) {
      await writeFile(file(`${index}`.padStart(5, "0") + ".yaml"), "");
    }
    const { names, unread } = await list();
    expect(names.split(" ")).toHaveLength(MAX_FILES);
    expect(unread).toEqual([
      "02000.yaml: error: there are more than 2000 manifests; this one and those behind it are not read; name fewer folders",
    ]);
  });

  it("names the first folder that lies too deep", async () => {
    const deep = join(folder(), ...Array<string>(MAX_DEPTH + 1).fill("d"));
    await mkdir(deep, { recursive: true });
    await writeFile(join(deep, "a.yaml"), "");
    const { names, unread } = await list();
    expect(names).toBe("");
    expect(unread).toEqual([
      expect.stringMatching(/^(d\/)+d: error: lies more than 32 folders deep/),
    ]);
  });

  it("names a folder that it may not read, and goes on", async () => {
    await mkdir(file("closed"));
    await writeFile(file("d.yaml"), "");
    const denied = Object.assign(new Error("denied"), { code: "EACCES" });
    const files = new PatientFiles(systemClock, new AbortController().signal, {
      lstat,
      open,
      stat,
      realpath: (path) => realpath(path),
      readdir: (path) => (path.endsWith("closed") ? Promise.reject(denied) : readdir(path)),
    });
    expect(await list([folder()], files)).toEqual({
      names: "d.yaml",
      unread: ["closed: error: the folder cannot be read (EACCES); let this user read it"],
    });
  });
});
