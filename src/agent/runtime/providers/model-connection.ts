/** From the provider in an agent config to a model that answers. */
import { hash } from "node:crypto";
import type { LanguageModelV4, LanguageModelV4CallOptions } from "@ai-sdk/provider";
import type {
  Parameters,
  ProviderConfig,
  ProviderName,
} from "../../../agent-config/agent-config.ts";
import type { Clock } from "../../../time/clock.ts";
import { providerBaseURL } from "./base-url.ts";
import { createProviderFetch } from "./provider-fetch.ts";
import { readProviderKey, type ReadSecret } from "./provider-key.ts";

export interface ModelConnection {
  readonly provider: ProviderName;
  readonly modelId: string;
  readonly model: Pick<LanguageModelV4, "doStream">;
  /** What every call of this model carries. */
  readonly callOptions: Pick<LanguageModelV4CallOptions, "providerOptions">;
}

export interface ModelConnections {
  /** Reads the key each time, so that a rotated one is used by the next turn. */
  connect(config: ProviderConfig): Promise<ModelConnection>;
}

export function createModelConnections(options: {
  readSecret: ReadSecret;
  clock: Pick<Clock, "setTimer">;
}): ModelConnections {
  const providerFetch = createProviderFetch(options.clock);
  // One agent has one provider: the last connection is all that is worth keeping.
  let kept: { identity: string; connection: ModelConnection } | undefined;
  return {
    async connect(config) {
      const apiKey = await readProviderKey(config, options.readSecret);
      const { name, model, baseURL, api } = config;
      const identity = hash("sha256", JSON.stringify([name, model, baseURL, api, apiKey]));
      if (kept?.identity !== identity) {
        kept = { identity, connection: await openConnection(config, apiKey, providerFetch) };
      }
      return kept.connection;
    },
  };
}

/** Everything is given explicitly: what the packages are not told they take from the process environment. */
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
      const openai = (await import("@ai-sdk/openai")).createOpenAI(settings);
      // Servers that speak OpenAI's protocol speak chat completions.
      const api = config.api ?? (config.baseURL === undefined ? "responses" : "chat");
      if (api === "chat") return { ...connection, model: openai.chat(modelId) };
      return {
        ...connection,
        model: openai.responses(modelId),
        // The history is ours: nothing is to be referred to by an id that only the provider can resolve.
        callOptions: { providerOptions: { openai: { store: false } } },
      };
    }
    case "anthropic": {
      const { createAnthropic } = await import("@ai-sdk/anthropic");
      return {
        ...connection,
        model: createAnthropic(settings)(modelId),
        // Arguments are of use when they are whole, and not every server knows how to stream them.
        callOptions: { providerOptions: { anthropic: { toolStreaming: false } } },
      };
    }
    case "google": {
      const { createGoogle } = await import("@ai-sdk/google");
      return { ...connection, model: createGoogle(settings)(modelId) };
    }
  }
}

export type SamplingOptions = Pick<
  LanguageModelV4CallOptions,
  | "maxOutputTokens"
  | "temperature"
  | "topP"
  | "topK"
  | "frequencyPenalty"
  | "presencePenalty"
  | "seed"
  | "stopSequences"
>;

/** The sampling parameters of a call: those of the AgentRuntime over those of the pack. */
export function samplingOptions(ofPack: Parameters, ofProvider: Parameters): SamplingOptions {
  const { maxTokens, ...others } = { ...ofPack, ...ofProvider };
  // Read from JSON: what is not set is not there, rather than undefined.
  const sampling = others as SamplingOptions;
  return maxTokens === undefined ? sampling : { ...sampling, maxOutputTokens: maxTokens };
}
