import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { findLocal } from "./find-local.ts";
import { lockStateFolder } from "./lock-state-folder.ts";
import { defaultStateFolder, writeUpInfo } from "./state-folder.ts";
import { folderForEachTest } from "../../../test/support/builders/fixtures.ts";
import { requirePrivateFolder } from "./require-private-folder.ts";
import type { UpError } from "./up-error.ts";

const cleanup: (() => unknown)[] = [];
const folder = folderForEachTest();
afterEach(async () => {
  for (const undo of cleanup.splice(0)) await undo();
});

describe("the default state folder", () => {
  it("is one a port, under XDG_STATE_HOME or the home folder", () => {
    expect(defaultStateFolder({ XDG_STATE_HOME: "/state" }, 8080)).toBe("/state/omnia/8080");
    expect(defaultStateFolder({ XDG_STATE_HOME: "relative", HOME: "/home/me" }, 9090)).toBe(
      "/home/me/.local/state/omnia/9090",
    );
  });
});

describe("a state folder that others may have a hand in", () => {
  const refusal = (path: string, user?: number): Promise<unknown> =>
    requirePrivateFolder(path, user).then(
      () => undefined,
      ({ message, cure }: UpError) => ({ message, cure }),
    );

  it.each([0o722, 0o770, 0o777, 0o1777])("is refused with the mode %o", async (mode) => {
    await chmod(folder(), mode);
    const refused = {
      message: `The state folder ${folder()} can be changed by other users.`,
      cure: `If nobody has changed it, keep it to yourself: chmod 700 ${folder()}`,
    };
    expect(await refusal(folder())).toEqual(refused);
    await expect(lockStateFolder(folder())).rejects.toMatchObject(refused);
    expect(await readdir(folder())).toEqual([]);
    await expect(findLocal({ env: {}, stateFolder: folder() })).rejects.toMatchObject(refused);
    await chmod(folder(), 0o700);
    await (await lockStateFolder(folder()))[Symbol.asyncDispose]();
  });

  it("is refused when it belongs to another user", async () => {
    const { uid } = await stat(folder());
    expect(await refusal(folder(), uid)).toBeUndefined();
    expect(await refusal(folder(), uid + 1)).toEqual({
      message: `The state folder ${folder()} belongs to another user.`,
      cure: "Name one of your own with --state.",
    });
  });

  it("is refused when it is a link, also one that leads to a folder of one's own, and when it is a file", async () => {
    const own = join(folder(), "own");
    await mkdir(own, { mode: 0o700 });
    await symlink(own, join(folder(), "link"));
    await writeFile(join(folder(), "file"), "");
    await expect(lockStateFolder(join(folder(), "link"))).rejects.toThrow("is a symbolic link");
    await expect(refusal(join(folder(), "file"))).resolves.toMatchObject({
      message: expect.stringContaining("is not a folder") as string,
    });
    expect(await readdir(own)).toEqual([]);
    expect(await refusal(own)).toBeUndefined();
    expect(await refusal(join(folder(), "none"))).toBeUndefined();
  });
});

describe("the lock of a state folder", () => {
  it("keeps a second instance out, and says who has it and what to do", async () => {
    const lock = await lockStateFolder(folder());
    await expect(lockStateFolder(folder())).rejects.toMatchObject({
      name: "UpError",
      message: `The state folder ${folder()} is in use by another omnia up (process ${process.pid}).`,
      cure: expect.stringContaining("--state") as string,
    });
    await lock[Symbol.asyncDispose]();
    await (await lockStateFolder(folder()))[Symbol.asyncDispose]();
  });

  it("is taken over from a process that was killed", async () => {
    const child = spawn(process.execPath, ["-e", ""]);
    await once(child, "exit");
    await writeFile(join(folder(), "lock-1"), JSON.stringify({ pid: child.pid }));
    await using _lock = await lockStateFolder(folder());
    expect(JSON.parse(await readFile(join(folder(), "lock-2"), "utf8"))).toMatchObject({
      pid: process.pid,
    });
  });

  it("is taken over from a process whose id another one has now", async () => {
    await writeFile(
      join(folder(), "lock-1"),
      JSON.stringify({ pid: process.pid, processStart: "1" }),
    );
    await using _lock = await lockStateFolder(folder());
  });

  it("is taken over when it cannot be read", async () => {
    await writeFile(join(folder(), "lock-1"), "{");
    await using _lock = await lockStateFolder(folder());
  });

  it("goes to exactly one of many that find a stale one", async () => {
    await writeFile(join(folder(), "lock-1"), "{}");
    for (let round = 0; round < 10; round += 1) {
      const results = await Promise.allSettled(
        Array.from({ length: 8 }, () => lockStateFolder(folder())),
      );
      const locks = results.filter((result) => result.status === "fulfilled");
      expect(locks).toHaveLength(1);
      for (const { value } of locks) await value[Symbol.asyncDispose]();
    }
  });
});

describe("findLocal", () => {
  async function startInstance(
    port: number,
    startedAt: string,
    pid = process.pid,
  ): Promise<{ url: string; server: Server }> {
    const server = createServer((_request, response) => response.end("{}"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    cleanup.push(() => server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await writeUpInfo(defaultStateFolder({ XDG_STATE_HOME: folder() }, port), {
      url,
      pid,
      port,
      startedAt,
    });
    return { url, server };
  }
  const env = (): Record<string, string> => ({ XDG_STATE_HOME: folder() });

  it("finds nothing where nothing was ever started", async () => {
    expect(await findLocal({ env: env() })).toBeUndefined();
    expect(await findLocal({ env: {}, stateFolder: join(folder(), "none") })).toBeUndefined();
  });

  it("finds the newest that lives and answers", async () => {
    const older = await startInstance(1, "2026-01-01T00:00:00Z");
    const newer = await startInstance(2, "2026-01-02T00:00:00Z");
    expect(await findLocal({ env: env() })).toMatchObject({ url: newer.url, port: 2 });
    newer.server.close();
    expect(await findLocal({ env: env() })).toMatchObject({ url: older.url, port: 1 });
  });

  it("passes over one whose process is gone", async () => {
    const child = spawn(process.execPath, ["-e", ""]);
    await once(child, "exit");
    await startInstance(1, "2026-01-01T00:00:00Z", child.pid);
    expect(await findLocal({ env: env() })).toBeUndefined();
  });

  it("passes over one whose folder others may write into: they may have said where it answers", async () => {
    await startInstance(1, "2026-01-01T00:00:00Z");
    await chmod(defaultStateFolder(env(), 1), 0o777);
    expect(await findLocal({ env: env() })).toBeUndefined();
  });

  it("looks only into the state folder that it is given", async () => {
    const { url } = await startInstance(1, "2026-01-01T00:00:00Z");
    await startInstance(2, "2026-01-02T00:00:00Z");
    const stateFolder = defaultStateFolder(env(), 1);
    expect(await findLocal({ env: env(), stateFolder })).toMatchObject({ url });
  });

  it("its file is for its owner only", async () => {
    await startInstance(1, "2026-01-01T00:00:00Z");
    const file = await stat(join(defaultStateFolder(env(), 1), "up.json"));
    expect(file.mode & 0o777).toBe(0o600);
  });
});
