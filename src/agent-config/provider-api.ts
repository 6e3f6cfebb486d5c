import type { ProviderConfig } from "./agent-config.ts";

/** Which API of OpenAI is spoken. Other servers that speak OpenAI's protocol have the one of chat completions. */
export function providerAPI({
  name,
  api,
  baseURL,
}: Pick<ProviderConfig, "name" | "api" | "baseURL">): ProviderConfig["api"] {
  if (name !== "openai") return undefined;
  return api ?? (baseURL === undefined ? "responses" : "chat");
}
