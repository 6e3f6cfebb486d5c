/** Manifests that cannot be read keep no command from going on, nor from ending. */
import { execFile } from "node:child_process";
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { omnia, startOmnia } from "../../support/processes/omnia-process.ts";
import { folderForAllTests } from "../../support/builders/fixtures.ts";

const home = folderForAllTests();
const manifests = (): string => join(home(), "manifests");
beforeAll(async () => {
  await mkdir(manifests());
  const agent = new URL("../../cases/manifests/12-fifo/a.yaml", import.meta.url);
  await copyFile(agent, join(manifests(), "a.yaml"));
  await promisify(execFile)("mkfifo", [join(manifests(), "p.yaml")]);
});

function options() {
  return { env: { HOME: home(), XDG_STATE_HOME: join(home(), "state") }, cwd: home() };
}

const PROBLEM = /p\.yaml:1:1: .*this is a pipe, a socket or a device, and no file/;

describe("a folder of manifests with a named pipe", () => {
  it("is checked by validate, which names the pipe", async () => {
    const { code, out } = await omnia(["validate", "-f", "manifests"], options());
    expect(code).toBe(1);
    expect(out).toMatch(PROBLEM);
    expect(out).toContain("1 resource, 1 problem\n");
  });

  it.each(["SIGTERM", "SIGINT"] as const)("is run by up, until %s", async (signal) => {
    const args = ["up", "-f", "manifests", "--port", "0", "--no-open"];
    await using up = startOmnia(args, options());
    await up.shows(PROBLEM);
    await up.shows(/default\/a: Running/);
    up.kill(signal);
    expect((await up.ended).code).toBe(0);
  });
});
