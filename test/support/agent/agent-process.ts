/** A replica as a process of its own, which can be killed as a machine's failure does. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { onTestFinished } from "vitest";
import type { AgentConfig } from "../../../src/agent-config/agent-config.ts";
import { anAgentConfig } from "../builders/agent-config.ts";
import { ChatClient } from "./chat-client.ts";

const PROGRAM = resolve(import.meta.dirname, "../../../bin/omnia.ts");

interface Listening {
  type: string;
  facadePort: number;
  managementPort: number;
}

export interface AgentProcessOptions {
  config: Partial<AgentConfig>;
  /** Files beside the config, by relative path. */
  files?: Readonly<Record<string, string>>;
  env?: Readonly<Record<string, string>>;
}

export class AgentProcess {
  readonly child: ChildProcess;
  readonly managementPort: number;
  readonly #facadePort: number;

  private constructor(child: ChildProcess, listening: Listening) {
    this.child = child;
    this.managementPort = listening.managementPort;
    this.#facadePort = listening.facadePort;
  }

  /** Ends with the test. */
  static async start({ config, files = {}, env = {} }: AgentProcessOptions): Promise<AgentProcess> {
    const folder = await mkdtemp(join(tmpdir(), "agent-process-"));
    const configPath = join(folder, "agent.json");
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    await writeFile(configPath, JSON.stringify(anAgentConfig(config)));
    const ports = ["--host", "127.0.0.1", "--port", "0", "--management-port", "0"];
    const child = spawn(process.execPath, [PROGRAM, "agent", ...ports], {
      env: { PATH: process.env["PATH"], OMNIA_CONFIG: configPath, ...env },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    onTestFinished(async () => {
      child.kill("SIGKILL");
      await rm(folder, { recursive: true });
    });
    for (;;) {
      const [message] = (await once(child, "message")) as [{ type: string }];
      if (message.type === "listening") return new AgentProcess(child, message as Listening);
    }
  }

  /** Where clients connect. */
  get url(): string {
    return `ws://127.0.0.1:${this.#facadePort}`;
  }

  connect(path = "/"): Promise<ChatClient> {
    return ChatClient.connect(this.url + path);
  }

  /** As the loss of its machine ends it: nothing of it is done any more. */
  async kill(): Promise<void> {
    const exit = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await exit;
  }
}
