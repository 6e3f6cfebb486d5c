import {
  AGENT_CONFIG_VERSION,
  type AgentConfig,
  type PromptConfig,
  type ProviderConfig,
  type ToolConfig,
} from "../../../src/agent-config/agent-config.ts";

export function aPrompt(prompt: Partial<PromptConfig> = {}): PromptConfig {
  return {
    pack: "support",
    version: "0123456789ab",
    semver: "1.0.0",
    prompt: "default",
    system: "You are terse.",
    parameters: {},
    toolChoice: "auto",
    maxRounds: 5,
    maxToolCallsPerTurn: 10,
    ...prompt,
  };
}

export function aTool(tool: Partial<ToolConfig> & Pick<ToolConfig, "url">): ToolConfig {
  return {
    name: "get-weather",
    registryName: "weather",
    type: "http",
    description: "Tells the weather of a city",
    method: "POST",
    inputSchema: {
      type: "object",
      properties: { city: { type: "string" } },
      required: ["city"],
    },
    timeoutMs: 5_000,
    retries: 0,
    headers: {},
    allowedAddresses: ["private", "loopback"],
    ...tool,
  };
}

/** The config of an agent with handler `echo`; what is given replaces whole fields. */
export function anAgentConfig(parts: Partial<AgentConfig> = {}): AgentConfig {
  return {
    version: AGENT_CONFIG_VERSION,
    agent: { name: "helper", namespace: "team" },
    handler: "echo",
    facade: { port: 0 },
    session: { type: "memory", ttlMs: 3_600_000 },
    tools: [],
    ...parts,
  };
}

/** The config of an agent with handler `runtime`. */
export function aRuntimeConfig(parts: {
  provider: Partial<ProviderConfig> & Pick<ProviderConfig, "baseURL">;
  prompt?: Partial<PromptConfig>;
  canary?: { weight: number; prompt: PromptConfig };
  tools?: ToolConfig[];
}): AgentConfig {
  return anAgentConfig({
    handler: "runtime",
    provider: {
      name: "openai",
      model: "gpt-4o",
      parameters: {},
      apiKeyFile: "provider/api-key",
      ...parts.provider,
    },
    prompt: {
      active: aPrompt(parts.prompt),
      ...(parts.canary === undefined ? {} : { canary: parts.canary }),
    },
    tools: parts.tools ?? [],
  });
}
