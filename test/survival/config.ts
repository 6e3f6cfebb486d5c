/** The config that all replicas of the survival test read, with its secrets beside it. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { AgentConfig } from "../../src/agent-config/agent-config.ts";
import { anAgentConfig, aRuntimeConfig, aTool } from "../support/builders/agent-config.ts";
import { STANDSTILL_MS } from "./faults.ts";
import { PAY_TOOL } from "./turn.ts";

export interface SurvivalURLs {
  readonly redis: string;
  readonly model?: string;
  readonly tool?: string;
}

/** Answers the path of the config. */
export async function writeSurvivalConfig(
  folder: string,
  { redis, model = "", tool = "" }: SurvivalURLs,
  parts: Partial<AgentConfig> = {},
): Promise<string> {
  const pay = aTool({
    name: PAY_TOOL,
    url: tool,
    inputSchema: { type: "object", properties: { call: { type: "string" } } },
    // The time of a replica that stands still goes on.
    timeoutMs: 2 * STANDSTILL_MS,
  });
  const config = anAgentConfig({
    ...aRuntimeConfig({ provider: { baseURL: model, api: "chat" }, tools: [pay] }),
    session: { type: "redis", ttlMs: 3_600_000, storeURLFile: "secrets/session-store/url" },
    ...parts,
  });
  const files = {
    "agent.json": JSON.stringify(config),
    "provider/api-key": "sk-test",
    "secrets/session-store/url": redis,
  };
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  return join(folder, "agent.json");
}
