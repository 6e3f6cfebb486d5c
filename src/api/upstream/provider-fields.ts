/** The fields of the kind Provider, and of the provider that AgentRuntimes of early 2026 held themselves. */
import { gone, moved, under, type UpstreamField } from "./upstream-field.ts";

const SECRET_KEY = "the key has to be named: apiKeySecretRef.key";

/** The fields that both have. Places are from the `provider` of an AgentRuntime. */
const MODEL_FIELDS: readonly UpstreamField[] = [
  moved(
    "2026",
    "type",
    "name",
    "claude is anthropic here, gemini is google, and what speaks OpenAI's protocol is openai with a baseURL",
  ),
  { from: "model", since: "2026", to: "model", isShared: true },
  { from: "baseURL", since: "2026", to: "baseURL", isShared: true },
  moved("2026", "secretRef.name", "apiKeySecretRef.name"),
  moved("2026", "secretRef.key", "apiKeySecretRef.key", SECRET_KEY),
  gone("2026", "pricing", "costs are not counted here"),
];

function parameters(prefix: string): UpstreamField[] {
  return [
    moved("2026", `${prefix}.temperature`, "parameters.temperature", "a number, without quotes"),
    moved("2026", `${prefix}.topP`, "parameters.topP", "a number, without quotes"),
    moved("2026", `${prefix}.maxTokens`, "parameters.maxTokens"),
    gone("2026", `${prefix}.contextWindow`, "what fits of a session is found out here"),
    gone("2026", `${prefix}.truncationStrategy`, "the oldest turns are left out here"),
    gone(
      "2026",
      `${prefix}.requestTimeout`,
      "a silent provider is given up after a fixed time here",
    ),
    gone(
      "2026",
      `${prefix}.streamIdleTimeout`,
      "a silent provider is given up after a fixed time here",
    ),
  ];
}

/** The fields of the spec of a Provider. */
export const PROVIDER_FIELDS: readonly UpstreamField[] = [
  ...MODEL_FIELDS,
  moved("2026", "credential.secretRef.name", "apiKeySecretRef.name"),
  moved("2026", "credential.secretRef.key", "apiKeySecretRef.key", SECRET_KEY),
  gone("2026", "credential.envVar", "a key comes from a Secret here: put it into one"),
  gone("2026", "credential.filePath", "a key comes from a Secret here: put it into one"),
  ...parameters("defaults"),
  gone("2026", "role", "a provider is a model that chats here"),
  gone("2026", "headers", "no headers can be added to the requests of a provider"),
  gone(
    "2026",
    "platform",
    "name an endpoint that speaks the provider's protocol in baseURL, such as that of a proxy",
  ),
  gone("2026", "auth", "a provider is sent an API key here, and no credentials of a cloud"),
  gone("2026", "capabilities", "what a model can do is not declared here"),
  gone("2026", "embedding", "a provider is a model that chats here"),
  gone("2026", "stt", "a provider is a model that chats here"),
  gone("2026", "tts", "a provider is a model that chats here"),
  gone("2026", "validateCredentials", "a key is tried by the first message here"),
];

/** The same from the spec of an AgentRuntime. */
export const AGENT_PROVIDER_FIELDS: readonly UpstreamField[] = under(
  "provider.",
  [
    ...MODEL_FIELDS.filter(({ isShared }) => isShared !== true),
    ...parameters("config"),
    gone("2026", "additionalConfig", "parameters has all that can be set"),
  ],
  "provider.",
);
