import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { capturedStreams } from "../../../test/support/processes/captured-streams.ts";
import { folderForEachTest } from "../../../test/support/builders/fixtures.ts";
import { manifestCase } from "../../../test/support/builders/manifest-case.ts";
import { validate } from "../validate/validate.ts";
import { migrate } from "./migrate.ts";

const folder = folderForEachTest();

const provider = `apiVersion: omnia.altairalabs.ai/v1alpha1
kind: Provider
metadata: {name: m}
spec: {type: openai, model: some-model, credential: {secretRef: {name: k, key: token}}}
`;
const agent = `apiVersion: omnia.altairalabs.ai/v1alpha1
kind: AgentRuntime
metadata: {name: a}
spec: {promptPackRef: {name: p}, providerRef: {name: m}}
`;
const ours = "apiVersion: v1\nkind: Secret\nmetadata: {name: k}\nstringData: {token:   t}\n";

async function run(filename: string[], output = "-", input?: string) {
  const { streams, out, err } = capturedStreams(input === undefined ? {} : { input });
  const code = await migrate({ filename, output }, streams);
  return { code, out: out(), err: err() };
}

async function old(files: Record<string, string>): Promise<string> {
  const path = join(folder(), "old");
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(path, name, ".."), { recursive: true });
    await writeFile(join(path, name), text);
  }
  return path;
}

describe("migrate", () => {
  it("writes what validate takes to the standard output, and says on the other what it did", async () => {
    const { code, out, err } = await run(["-"], "-", manifestCase("15-upstream-2026-07"));
    expect(code).toBe(0);
    expect(err).toBe(
      "4 resources translated; 1 field without a counterpart, which became comments; 0 places to look at\n",
    );
    const checking = capturedStreams({ input: out });
    expect(await validate({ filename: ["-"], output: "text" }, checking.streams)).toBe(0);
  });

  it("names what somebody has to look at", async () => {
    const { code, err } = await run(["-"], "-", manifestCase("16-upstream-2025-12"));
    expect(code).toBe(0);
    expect(err).toContain(
      '<stdin>:1: AgentRuntime "a": spec.provider.model: write the name of the model\n',
    );
  });

  it("joins several files into one stream, and finds a Provider in another one", async () => {
    const path = await old({ "1.yaml": provider, "2.yaml": agent, "3.yaml": ours.trimEnd() });
    const { out } = await run([path]);
    expect(out.split(/^---$/m)).toHaveLength(3);
    expect(out).toContain("model: some-model");
    expect(out.endsWith(`---\n${ours}`)).toBe(true);
    expect((await run(["-"], "-", out)).out).toBe(out);
  });

  it("writes each file under its own name into a folder, what is ours as it was", async () => {
    const path = await old({
      "agents/a.yaml": agent,
      "providers.json": JSON.stringify({
        apiVersion: "omnia.altairalabs.ai/v1alpha1",
        kind: "Provider",
        metadata: { name: "m" },
        spec: { type: "openai", model: "some-model" },
      }),
      "secret.yml": ours,
      "ours.json": '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}',
    });
    const target = join(folder(), "new");
    const { code, out } = await run([path], target);
    expect({ code, out }).toEqual({ code: 0, out: "" });
    const written = await readdir(target, { recursive: true });
    expect(written.toSorted()).toEqual([
      "agents",
      "agents/a.yaml",
      "ours.json",
      "providers.yaml",
      "secret.yml",
    ]);
    expect(await readFile(join(target, "secret.yml"), "utf8")).toBe(ours);
    expect(await readFile(join(target, "agents/a.yaml"), "utf8")).toContain("model: some-model");
  });

  it("overwrites nothing, and writes nothing then", async () => {
    const path = await old({ "1.yaml": agent, "2.yaml": ours });
    const target = join(folder(), "new");
    await mkdir(target);
    await writeFile(join(target, "2.yaml"), "mine");
    await expect(run([path], target)).rejects.toThrow(/are there already: .*2\.yaml/);
    await expect(run([path], path)).rejects.toThrow(/are there already/);
    expect(await readdir(target)).toEqual(["2.yaml"]);
    expect(await readFile(join(target, "2.yaml"), "utf8")).toBe("mine");
  });

  it("refuses two files that would have one name", async () => {
    const path = await old({ "a/x.yaml": agent, "b/x.yaml": ours });
    const files = [join(path, "a/x.yaml"), join(path, "b/x.yaml")];
    await expect(run(files, join(folder(), "new"))).rejects.toThrow(/would become .*x\.yaml/);
  });

  it("writes nothing when a file cannot be read, and names the line", async () => {
    const path = await old({ "1.yaml": agent, "2.yaml": "a: 1\nb: [\n" });
    const absent = join(path, "absent.yaml");
    const { code, out, err } = await run([path, absent]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain("2.yaml:");
    expect(err).toContain(`${absent}:1:1: there is no such file or folder`);
    expect(err).toContain("Nothing was written");
  });

  it("changes no character of what is ours, also none that a terminal would obey", async () => {
    const text = ours.replace("t}", '"a\u200bb\u202ec"}').replaceAll("\n", "\r\n");
    expect((await run(["-"], "-", text)).out).toBe(text);
  });

  it("says when there is nothing to do, and when there is nothing to read", async () => {
    expect(await run(["-"], "-", ours)).toEqual({
      code: 0,
      out: ours,
      err: "Nothing had to be translated.\n",
    });
    await expect(run([join(folder(), "none")])).rejects.toThrow("no such file or folder");
  });
});
