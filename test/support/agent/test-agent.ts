import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import type { AgentConfig } from "../../../src/agent-config/agent-config.ts";
import { runAgent, type AgentOptions, type RunningAgent } from "../../../src/agent/agent.ts";
import { createLog } from "../../../src/observability/log.ts";
import { anAgentConfig } from "../builders/agent-config.ts";
import { ChatClient, type AtTheEnd, type ChatClientOptions } from "./chat-client.ts";

export interface TestAgentOptions extends Partial<AgentOptions> {
  config?: Partial<AgentConfig>;
  /** Files beside the config, by relative path. */
  files?: Record<string, string>;
  withoutConfig?: boolean;
  atTheEnd?: AtTheEnd;
}

/** An agent in this process, with a config of its own, that ends with the test. */
export class TestAgent {
  readonly running: RunningAgent;
  readonly configPath: string;
  /** What the agent logged. */
  readonly logged: Record<string, unknown>[];

  readonly #host: string;

  private constructor(
    running: RunningAgent,
    configPath: string,
    logged: Record<string, unknown>[],
    host: string,
  ) {
    this.#host = host;
    this.running = running;
    this.configPath = configPath;
    this.logged = logged;
  }

  static async start(options: TestAgentOptions = {}): Promise<TestAgent> {
    const { config, files, withoutConfig, atTheEnd = onTestFinished, ...agentOptions } = options;
    const folder = await mkdtemp(join(tmpdir(), "agent-test-"));
    const configPath = join(folder, "agent.json");
    for (const [path, text] of Object.entries(files ?? {}))
      await writeBeside(configPath, path, text);
    if (withoutConfig !== true) await writeFile(configPath, JSON.stringify(anAgentConfig(config)));
    const logged: Record<string, unknown>[] = [];
    const running = await runAgent({
      configPath,
      host: "127.0.0.1",
      managementPort: 0,
      log: createLog({
        level: "debug",
        destination: {
          write: (line) => void logged.push(JSON.parse(line) as Record<string, unknown>),
        },
      }),
      env: { OMNIA_DEMO_PAUSES: "off" },
      ...agentOptions,
    });
    atTheEnd(async () => {
      await running.close();
      await rm(folder, { recursive: true });
    });
    return new TestAgent(running, configPath, logged, agentOptions.host ?? "127.0.0.1");
  }

  get url(): string {
    return `ws://${this.#host}:${this.running.facadePort ?? 0}`;
  }

  /** Replaces the config as a careful writer does: by a rename. */
  async writeConfig(parts: Partial<AgentConfig> | string): Promise<void> {
    const text = typeof parts === "string" ? parts : JSON.stringify(anAgentConfig(parts));
    await writeFile(`${this.configPath}.new`, text);
    await rename(`${this.configPath}.new`, this.configPath);
  }

  async writeFile(path: string, text: string): Promise<void> {
    await writeBeside(this.configPath, path, text);
  }

  async management(path: string): Promise<{ status: number; body: string }> {
    const response = await fetch(`http://${this.#host}:${this.running.managementPort}${path}`);
    return { status: response.status, body: await response.text() };
  }

  /** The value of a metric of this agent, with its labels besides agent and namespace. */
  async metric(name: string, labels: Record<string, string> = {}): Promise<number | undefined> {
    const { body } = await this.management("/metrics");
    const line = body
      .split("\n")
      .find(
        (text) =>
          text.startsWith(`${name}{`) &&
          Object.entries(labels).every(([label, value]) => text.includes(`${label}="${value}"`)),
      );
    return line === undefined ? undefined : Number(line.split(" ").at(-1));
  }

  connect(path = "/", options: ChatClientOptions = {}): Promise<ChatClient> {
    return ChatClient.connect(`${this.url}${path}`, options);
  }
}

async function writeBeside(configPath: string, path: string, text: string): Promise<void> {
  const file = join(dirname(configPath), path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
