import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { AgentConfig } from "../../../src/agent-config/agent-config.ts";
import { ChatClient } from "../../support/agent/chat-client.ts";
import { anAgentConfig } from "../../support/builders/agent-config.ts";

interface Listening {
  type: "listening";
  facadePort: number;
  managementPort: number;
}

async function anAgentProcess(
  config: Partial<AgentConfig>,
): Promise<{ child: ChildProcess; listening: Listening }> {
  const folder = await mkdtemp(join(tmpdir(), "agent-process-"));
  const configPath = join(folder, "agent.json");
  await writeFile(configPath, JSON.stringify(anAgentConfig(config)));
  const program = resolve(import.meta.dirname, "../../../bin/omnia.ts");
  const ports = ["--host", "127.0.0.1", "--port", "0", "--management-port", "0"];
  const child = spawn(process.execPath, [program, "agent", ...ports], {
    env: { PATH: process.env["PATH"], OMNIA_CONFIG: configPath },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await rm(folder, { recursive: true });
  });
  const [listening] = (await once(child, "message")) as [Listening];
  return { child, listening };
}

describe("omnia agent", () => {
  it("says where it listens, and drains on SIGTERM: the running turn comes to its end", async () => {
    const { child, listening } = await anAgentProcess({ handler: "demo" });
    expect(listening.type).toBe("listening");
    const url = `ws://127.0.0.1:${listening.facadePort}`;
    const [idle, busy] = [await ChatClient.connect(url), await ChatClient.connect(url)];
    busy.say("this");
    await busy.nextOf("chunk");
    child.kill("SIGTERM");
    expect(await idle.closed).toMatchObject({ code: 1001 });
    expect((await fetch(`http://127.0.0.1:${listening.managementPort}/readyz`)).status).toBe(503);
    await expect(ChatClient.connect(url)).rejects.toThrow("503");
    expect(await busy.nextOf("done")).toMatchObject({ finish_reason: "stop" });
    expect(await busy.closed).toMatchObject({ code: 1001 });
    expect(await once(child, "exit")).toEqual([0, null]);
  });

  it("ends at once on a second signal", async () => {
    const { child, listening } = await anAgentProcess({ handler: "demo" });
    const client = await ChatClient.connect(`ws://127.0.0.1:${listening.facadePort}`);
    client.say("hello");
    await client.nextOf("chunk");
    child.kill("SIGTERM");
    await expect
      .poll(() =>
        fetch(`http://127.0.0.1:${listening.managementPort}/readyz`).then(({ status }) => status),
      )
      .toBe(503);
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([1, null]);
    expect(await client.closed).toMatchObject({ code: 1006 });
  });

  it("drains when whoever started it is gone", async () => {
    const { child } = await anAgentProcess({ handler: "echo" });
    child.disconnect();
    expect(await once(child, "exit")).toEqual([0, null]);
  });
});
