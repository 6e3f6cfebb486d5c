import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogle } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import type { LanguageModelV4, LanguageModelV4CallOptions } from "@ai-sdk/provider";
import { describe, expect, it } from "vitest";
import { createCompatibleModel } from "../../agent/runtime/providers/compatible-model.ts";
import { samplingOptions } from "../../agent/runtime/providers/sampling-options.ts";
import { type Endpoint, type GivenParameters, untakenParameters } from "./untaken-parameters.ts";

const ALL: GivenParameters = {
  temperature: 1.5,
  maxTokens: 500_000,
  topP: 0.9,
  topK: 7,
  frequencyPenalty: 1,
  presencePenalty: 1,
  seed: 3,
  stopSequences: ["END"],
};

const ENDPOINTS: readonly Endpoint[] = [
  ...[
    "my-deployment",
    "gpt-4o",
    "gpt-4.1-mini",
    "gpt-4o-search-preview",
    "gpt-5",
    "gpt-5-chat-latest",
    "gpt-5.4-mini",
    "gpt-5.6",
    "gpt-6-luna",
    "o1",
    "o3-mini",
    "o4-mini",
  ].flatMap((model): Endpoint[] => [
    { name: "openai", model, api: "responses" },
    { name: "openai", model, api: "chat" },
    { name: "openai", model, api: "chat", baseURL: "http://models.example/v1" },
  ]),
  ...[
    "claude-3-haiku-20240307",
    "claude-3-5-sonnet-latest",
    "claude-sonnet-4-0",
    "claude-sonnet-4-20250514",
    "claude-opus-4-0",
    "claude-opus-4-1",
    "claude-haiku-4-5",
    "claude-sonnet-4-5-20250929",
    "claude-opus-4-5",
    "claude-sonnet-4-6",
    "claude-opus-4-6",
    "claude-opus-4-7",
    "claude-opus-4-8",
    "claude-opus-5",
    "claude-sonnet-5-5",
    "claude-fable-5",
    "claude-next",
    "another-model",
  ].map((model): Endpoint => ({ name: "anthropic", model })),
  ...["gemini-2.5-flash", "gemini-2.0-flash", "gemini-3-flash-preview", "gemma-3-27b-it"].map(
    (model): Endpoint => ({ name: "google", model }),
  ),
];

describe("untakenParameters", () => {
  it.each(ENDPOINTS)(
    "says what the package of the provider leaves out ($name $api $model $baseURL)",
    async (endpoint) => {
      for (const given of [ALL, { ...ALL, temperature: 0.5 }, { topP: 0.5 }, { maxTokens: 1000 }]) {
        const told = untakenParameters(endpoint, given).map(({ parameter }) => parameter);
        expect(told.toSorted()).toEqual(await leftOutByPackage(endpoint, given));
      }
    },
  );

  it("says nothing of parameters that are taken or not given", () => {
    const endpoint: Endpoint = { name: "openai", model: "gpt-4o", api: "chat" };
    expect(untakenParameters(endpoint, { temperature: 0.2, topK: undefined })).toEqual([]);
  });

  it("says what becomes of a parameter, and why", () => {
    const effects = (endpoint: Endpoint, given: GivenParameters): string[] =>
      untakenParameters(endpoint, given).map(({ parameter, effect }) => `${parameter} ${effect}`);
    expect([
      ...effects({ name: "openai", model: "o3", api: "chat" }, { topK: 1, temperature: 0 }),
      ...effects(
        { name: "openai", model: "gpt-4o", api: "responses" },
        { tokenLimitField: "max_tokens" },
      ),
      ...effects(
        { name: "anthropic", model: "claude-opus-4-5" },
        { temperature: 2, maxTokens: 100_000 },
      ),
      ...effects({ name: "anthropic", model: "claude-opus-4-5" }, { temperature: 1, topP: 0.5 }),
    ]).toMatchInlineSnapshot(`
      [
        "temperature is not sent, since the model "o3" takes none",
        "topK is not sent, since OpenAI's protocol has none",
        "tokenLimitField is not sent, since only chat completions have it (provider.api "chat")",
        "maxTokens is sent as 64000, since the model "claude-opus-4-5" takes no more",
        "temperature is sent as 1, since Anthropic takes no more",
        "topP is not sent, since Anthropic takes either temperature or topP",
      ]
    `);
  });
});

/** The parameters that the package warns about, as it does when an agent calls it. */
async function leftOutByPackage(endpoint: Endpoint, given: GivenParameters): Promise<string[]> {
  const { tokenLimitField: _other, ...parameters } = given;
  const options: LanguageModelV4CallOptions = {
    ...samplingOptions({}, parameters),
    prompt: [{ role: "user", content: [{ type: "text", text: "Hello" }] }],
    // Most agents have tools, and with them some models are asked otherwise.
    tools: [{ type: "function", name: "now", inputSchema: { type: "object", properties: {} } }],
  };
  const { stream } = await modelOf(endpoint).doStream(options);
  const warnings = [];
  for await (const part of stream)
    if (part.type === "stream-start") warnings.push(...part.warnings);
  const features = warnings.flatMap((warning) =>
    warning.type === "unsupported" ? warning.feature : [],
  );
  const names = features.map((feature) => (feature === "maxOutputTokens" ? "maxTokens" : feature));
  return [...new Set(names)].toSorted();
}

function modelOf({ name, model, api, baseURL }: Endpoint): Pick<LanguageModelV4, "doStream"> {
  const settings = {
    apiKey: "sk-1",
    fetch: () =>
      Promise.resolve(new Response("", { headers: { "content-type": "text/event-stream" } })),
  };
  switch (name) {
    case "openai":
      if (baseURL !== undefined) return createCompatibleModel(model, { ...settings, baseURL });
      return api === "chat"
        ? createOpenAI(settings).chat(model)
        : createOpenAI(settings).responses(model);
    case "anthropic":
      return createAnthropic(settings)(model);
    case "google":
      return createGoogle(settings)(model);
  }
}
