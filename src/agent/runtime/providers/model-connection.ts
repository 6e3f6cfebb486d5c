/** From the provider in an agent config to a model that answers. */
import { hash } from "node:crypto";
import type { LanguageModelV4, LanguageModelV4CallOptions } from "@ai-sdk/provider";
import type { ProviderConfig, ProviderName } from "../../../agent-config/agent-config.ts";
import { providerAPI } from "../../../agent-config/provider-api.ts";
import type { Clock } from "../../../time/clock.ts";
import { providerBaseURL } from "./base-url.ts";
import type { Log } from "../../../observability/log.ts";
import { createMessageItemsFetch } from "./message-items-fetch.ts";
import { createProviderFetch } from "./network/provider-fetch.ts";
import { readProviderKey } from "./provider-key.ts";
import type { ReadSecret } from "../../../agent-config/read-secret.ts";
import { createLenientFetch } from "./stream/lenient-fetch.ts";
import type { CreateStreamMender } from "./stream/stream-mender.ts";
import { createTokenLimitFetch } from "./token-limit-fetch.ts";

export interface ModelConnection {
  readonly provider: ProviderName;
  readonly modelId: string;
  readonly model: Pick<LanguageModelV4, "doStream">;
  /** The options that every call of this model has. */
  readonly callOptions: Pick<LanguageModelV4CallOptions, "providerOptions">;
  /** Whether an answer that the limit of tokens has cut off may be called a whole one. */
  readonly hidesLength?: boolean | undefined;
}

export interface ModelConnections {
  /** Reads the key at each call, so that the next turn uses a rotated one. */
  connect(config: ProviderConfig): Promise<ModelConnection>;
}

export interface ModelConnectionsOptions {
  readSecret: ReadSecret;
  clock: Pick<Clock, "setTimer" | "monotonic">;
  log: Log;
}

export function createModelConnections(options: ModelConnectionsOptions): ModelConnections {
  // An agent has one provider, so only the last connection is kept.
  let kept: { identity: string; connection: ModelConnection } | undefined;
  return {
    async connect(config) {
      const apiKey = await readProviderKey(config, options.readSecret);
      const { name, model, baseURL, api, tokenLimitField } = config;
      const facts = [name, model, baseURL, api, tokenLimitField, apiKey];
      const identity = hash("sha256", JSON.stringify(facts));
      if (kept?.identity !== identity) {
        kept = { identity, connection: await openConnection(config, apiKey, options) };
      }
      return kept.connection;
    },
  };
}

/** All settings are given explicitly, since the packages take those that are missing from the process environment. */
async function openConnection(
  config: ProviderConfig,
  apiKey: string,
  options: ModelConnectionsOptions,
): Promise<ModelConnection> {
  const { name: provider, model: modelId } = config;
  const baseURL = providerBaseURL(provider, config.baseURL);
  const providerFetch = createProviderFetch(options.clock);
  const settings = (createMender: CreateStreamMender, fetch = providerFetch) => ({
    baseURL,
    apiKey,
    fetch: createLenientFetch({
      fetch,
      createMender,
      clock: options.clock,
      onDepartures: logOnce(config, options.log),
    }),
  });
  const connection = { provider, modelId, callOptions: {} };
  switch (provider) {
    case "openai": {
      if (providerAPI(config) === "chat") {
        const { createChatMender, createOpenAIChatMender } =
          await import("./stream/chat-stream.ts");
        const limitFetch = createTokenLimitFetch(providerFetch, modelId, config.tokenLimitField);
        if (config.baseURL === undefined) {
          const { createOpenAI } = await import("@ai-sdk/openai");
          const ofOpenAI = settings(createOpenAIChatMender, limitFetch);
          return { ...connection, model: createOpenAI(ofOpenAI).chat(modelId) };
        }
        const { createCompatibleModel } = await import("./compatible-model.ts");
        const ofOthers = settings(createChatMender, limitFetch);
        return { ...connection, model: createCompatibleModel(modelId, ofOthers) };
      }
      const { createOpenAI } = await import("@ai-sdk/openai");
      const { createResponsesMender } = await import("./stream/responses-stream.ts");
      const isOfOpenAI = config.baseURL === undefined;
      const itemsFetch = isOfOpenAI ? providerFetch : createMessageItemsFetch(providerFetch);
      return {
        ...connection,
        model: createOpenAI(settings(createResponsesMender, itemsFetch)).responses(modelId),
        // The agent keeps the history itself, and must not refer to parts of it by an id that only the provider knows.
        callOptions: { providerOptions: { openai: { store: false } } },
        // llama.cpp and Ollama call every Response completed.
        hidesLength: !isOfOpenAI,
      };
    }
    case "anthropic": {
      const { createAnthropic } = await import("@ai-sdk/anthropic");
      const { createAnthropicMender } = await import("./stream/anthropic-stream.ts");
      return {
        ...connection,
        model: createAnthropic(settings(createAnthropicMender))(modelId),
        // Only complete arguments are of use, and not every server can stream them.
        callOptions: { providerOptions: { anthropic: { toolStreaming: false } } },
      };
    }
    case "google": {
      const { createGoogle } = await import("@ai-sdk/google");
      const { createGoogleMender } = await import("./stream/google-stream.ts");
      return { ...connection, model: createGoogle(settings(createGoogleMender))(modelId) };
    }
  }
}

/** Servers depart from the protocol in every answer alike, so the first one is told of. */
function logOnce({ name: provider, model }: ProviderConfig, log: Log) {
  let isLogged = false;
  return (departures: Record<string, number>): void => {
    if (isLogged) return;
    isLogged = true;
    log.info(
      { provider, model, departures },
      "The provider departs from its protocol where these are; its answers are read all the same",
    );
  };
}
