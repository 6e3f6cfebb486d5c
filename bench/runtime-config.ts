import type { AgentConfig } from "../src/agent-config/agent-config.ts";

/** An agent with a model at `baseURL`, whose key is in the file `key`. */
export function runtimeConfig(baseURL: string): Partial<AgentConfig> {
  return {
    handler: "runtime",
    provider: {
      name: "openai",
      model: "m",
      baseURL,
      api: "chat",
      parameters: {},
      apiKeyFile: "key",
    },
    prompt: {
      active: {
        pack: "bench",
        version: "0123456789ab",
        semver: "1.0.0",
        prompt: "bench",
        system: "Be brief.",
        parameters: {},
        toolChoice: "auto",
        maxRounds: 5,
        maxToolCallsPerTurn: 10,
      },
    },
  };
}
