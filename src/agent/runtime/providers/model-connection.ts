/** From the provider in an agent config to a model that answers. */
import { hash } from "node:crypto";
import type { LanguageModelV4, LanguageModelV4CallOptions } from "@ai-sdk/provider";
import type { ProviderConfig, ProviderName } from "../../../agent-config/agent-config.ts";
import type { Clock } from "../../../time/clock.ts";
import { providerBaseURL } from "./base-url.ts";
import { createProviderFetch } from "./provider-fetch.ts";
import { readProviderKey, type ReadSecret } from "./provider-key.ts";
import { createTokenLimitFetch } from "./token-limit-fetch.ts";

export interface ModelConnection {
  readonly provider: ProviderName;
  readonly modelId: string;
  readonly model: Pick<LanguageModelV4, "doStream">;
  /** The options that every call of this model has. */
  readonly callOptions: Pick<LanguageModelV4CallOptions, "providerOptions">;
}

export interface ModelConnections {
  /** Reads the key at each call, so that the next turn uses a rotated one. */
  connect(config: ProviderConfig): Promise<ModelConnection>;
}

export function createModelConnections(options: {
  readSecret: ReadSecret;
  clock: Pick<Clock, "setTimer">;
}): ModelConnections {
  const providerFetch = createProviderFetch(options.clock);
  // An agent has one provider, so only the last connection is kept.
  let kept: { identity: string; connection: ModelConnection } | undefined;
  return {
    async connect(config) {
      const apiKey = await readProviderKey(config, options.readSecret);
      const { name, model, baseURL, api, tokenLimitField } = config;
      const facts = [name, model, baseURL, api, tokenLimitField, apiKey];
      const identity = hash("sha256", JSON.stringify(facts));
      if (kept?.identity !== identity) {
        kept = { identity, connection: await openConnection(config, apiKey, providerFetch) };
      }
      return kept.connection;
    },
  };
}

/** All settings are given explicitly, since the packages take those that are missing from the process environment. */
async function openConnection(
  config: ProviderConfig,
  apiKey: string,
  providerFetch: typeof fetch,
): Promise<ModelConnection> {
  const { name: provider, model: modelId } = config;
  const settings = {
    baseURL: providerBaseURL(provider, config.baseURL),
    apiKey,
    fetch: providerFetch,
  };
  const connection = { provider, modelId, callOptions: {} };
  switch (provider) {
    case "openai": {
      const { createOpenAI } = await import("@ai-sdk/openai");
      // Other servers that speak OpenAI's protocol have the API of chat completions.
      const api = config.api ?? (config.baseURL === undefined ? "responses" : "chat");
      if (api === "chat") {
        const fetch = createTokenLimitFetch(providerFetch, modelId, config.tokenLimitField);
        return { ...connection, model: createOpenAI({ ...settings, fetch }).chat(modelId) };
      }
      const openai = createOpenAI(settings);
      return {
        ...connection,
        model: openai.responses(modelId),
        // The agent keeps the history itself, and must not refer to parts of it by an id that only the provider knows.
        callOptions: { providerOptions: { openai: { store: false } } },
      };
    }
    case "anthropic": {
      const { createAnthropic } = await import("@ai-sdk/anthropic");
      return {
        ...connection,
        model: createAnthropic(settings)(modelId),
        // Only complete arguments are of use, and not every server can stream them.
        callOptions: { providerOptions: { anthropic: { toolStreaming: false } } },
      };
    }
    case "google": {
      const { createGoogle } = await import("@ai-sdk/google");
      return { ...connection, model: createGoogle(settings)(modelId) };
    }
  }
}
