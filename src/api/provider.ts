/** Which model an agent speaks with. */
import { z } from "zod";
import { PROVIDER_APIS, PROVIDER_NAMES, TOKEN_LIMIT_FIELDS } from "./choices.ts";
import { DEFAULT_PROVIDER_SECRET_KEY } from "./group.ts";
import { atomicList, httpURL, int32, pattern, text } from "./fields/types.ts";
import { dataKey, dnsSubdomain } from "./fields/names.ts";

const parametersSchema = z.strictObject({
  temperature: z.number().min(0).max(2).optional().describe("Randomness of the sampling"),
  maxTokens: int32(1).optional().describe("The most tokens of one answer"),
  tokenLimitField: z
    .enum(["auto", ...TOKEN_LIMIT_FIELDS])
    .optional()
    .describe(
      "Under which name a chat completion of OpenAI's protocol asks for maxTokens; auto if unset: the name that the server takes",
    ),
  topP: z.number().min(0).max(1).optional().describe("Nucleus sampling"),
  topK: int32(1).optional().describe("How many of the likeliest tokens are considered"),
  frequencyPenalty: z.number().min(-2).max(2).optional().describe("Penalty for frequent tokens"),
  presencePenalty: z.number().min(-2).max(2).optional().describe("Penalty for present tokens"),
  seed: int32(-2_147_483_648).optional().describe("Seed for repeatable sampling"),
  stopSequences: atomicList(text(256), 16).optional().describe("Texts that end an answer"),
});

/** A price of a million tokens. */
const price = () => z.number().min(0).max(1_000_000);

const pricesSchema = z.strictObject({
  inputPerMillionTokens: price().describe("Price of a million tokens of input"),
  outputPerMillionTokens: price().describe("Price of a million tokens of output"),
  cachedInputPerMillionTokens: price()
    .optional()
    .describe(
      "Price of a million tokens of input that the provider has in its cache; inputPerMillionTokens if unset",
    ),
  currency: pattern(3, /^[A-Z]{3}$/, "must be a code of three capital letters, like USD")
    .default("USD")
    .describe("Currency of the prices, as ISO 4217 writes it"),
});

/**
 * No field is required here, because handlers `demo` and `echo` ignore the provider: the rules of the AgentRuntime
 * require what handler `runtime` needs.
 */
export const providerSchema = z.strictObject({
  name: z.enum(PROVIDER_NAMES).optional().describe("The provider; required for handler runtime"),
  model: text(256).optional().describe("Name of the model; required for handler runtime"),
  apiKeySecretRef: z
    .strictObject({
      name: dnsSubdomain().optional().describe("Name of the Secret"),
      key: dataKey().optional().describe("Key in the Secret"),
    })
    .optional()
    .describe("The API key; required for handler runtime unless providerSecretRef is set"),
  baseURL: httpURL()
    .optional()
    .describe("Another endpoint that speaks the provider's protocol: a proxy, vLLM, a test server"),
  api: z
    .enum(PROVIDER_APIS)
    .optional()
    .describe("Which API of OpenAI is spoken: chat if baseURL is set, else responses"),
  parameters: parametersSchema
    .optional()
    .describe("Sampling parameters, over the parameters of the pack"),
  prices: pricesSchema
    .optional()
    .describe("What the provider asks for tokens; agents then tell what turns and sessions cost"),
});

export const providerSecretRefSchema = z.strictObject({
  name: dnsSubdomain().describe("Name of the Secret"),
  key: dataKey().default(DEFAULT_PROVIDER_SECRET_KEY).describe("Key in the Secret"),
});

export type Provider = z.output<typeof providerSchema>;
