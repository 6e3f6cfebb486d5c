import { mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { describe, expect, it, onTestFinished } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { Credentials } from "./credentials.ts";

const { signal } = new AbortController();

function aKubeConfig(user: object, cluster: object = {}): KubeConfig {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromOptions({
    clusters: [{ name: "c", server: "https://127.0.0.1:1", ...cluster }],
    users: [{ name: "u", ...user }],
    contexts: [{ name: "x", cluster: "c", user: "u" }],
    currentContext: "x",
  });
  return kubeConfig;
}

/** The token and the authority of a pod, which `write` replaces; and a clock by which they were written long ago. */
async function aPod(options: { isJustWritten?: boolean } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "omnia-credentials-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = (name: string): string => join(folder, name);
  const write = (name: string, text: string): Promise<void> => writeFile(file(name), text);
  await write("token", "one");
  await write("ca.crt", "authority");
  const config = { tokenFile: file("token") };
  const user = { authProvider: { name: "tokenFile", config } };
  const kubeConfig = aKubeConfig(user, { caFile: file("ca.crt") });
  const age = options.isJustWritten === true ? 0 : 60_000;
  const credentials = new Credentials(kubeConfig, new ManualClock(Date.now() + age));
  const token = async (): Promise<unknown> =>
    (await credentials.get(signal)).headers?.["Authorization"];
  return { credentials, file, write, token };
}

describe("credentials", () => {
  it("stay the same object when the kubeconfig itself holds them", async () => {
    const credentials = new Credentials(aKubeConfig({ token: "one" }));
    const first = await credentials.get(signal);
    expect(first.headers).toMatchObject({ Authorization: "Bearer one" });
    expect(await credentials.get(signal)).toBe(first);
  });

  it("stay the same object as long as no file changes", async () => {
    const { credentials, write } = await aPod();
    const first = await credentials.get(signal);
    expect(await credentials.get(signal)).toBe(first);
    await write("ca.crt", "another authority");
    const second = await credentials.get(signal);
    expect(second).not.toBe(first);
    expect(String(second.ca)).toBe("another authority");
    expect(await credentials.get(signal)).toBe(second);
  });

  it("follow a file that is written again, and one that is replaced, as Kubernetes does it", async () => {
    const { token, write, file } = await aPod();
    expect(await token()).toBe("Bearer one");
    await write("token", "two or more");
    expect(await token()).toBe("Bearer two or more");
    await write("next", "three");
    await symlink(file("next"), file("link"));
    await rename(file("link"), file("token"));
    expect(await token()).toBe("Bearer three");
  });

  it("are read again every time as long as a file is so new that its time may not tell", async () => {
    const { token, write } = await aPod({ isJustWritten: true });
    expect(await token()).toBe("Bearer one");
    await write("token", "two");
    expect(await token()).toBe("Bearer two");
  });

  it("fail while a file is missing, and are there again with it", async () => {
    const { token, write, file } = await aPod();
    expect(await token()).toBe("Bearer one");
    await rm(file("token"));
    await expect(token()).rejects.toMatchObject({ code: "ENOENT" });
    await write("token", "two");
    expect(await token()).toBe("Bearer two");
  });

  it("are asked for every time when a plugin gives them", async () => {
    const script = `printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"given"}}'`;
    const exec = {
      apiVersion: "client.authentication.k8s.io/v1",
      command: "sh",
      args: ["-c", script],
      interactiveMode: "Never",
    };
    const credentials = new Credentials(aKubeConfig({ exec }));
    const first = await credentials.get(signal);
    expect(first.headers).toMatchObject({ Authorization: "Bearer given" });
    expect(await credentials.get(signal)).not.toBe(first);
  });
});
