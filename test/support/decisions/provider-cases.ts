import { DEFAULT_TRUST_POLICY } from "../../../src/control/trust-policy.ts";
import {
  observed,
  packReference,
  secret,
  theReferences,
  theVersion,
} from "../builders/a-decision.ts";
import type { DecisionCase } from "./decision-case.ts";

export const PROVIDER_CASES: readonly DecisionCase[] = [
  {
    says: "a key in a Secret",
    type: "ProviderReady",
    reason: "Resolved",
    observed: observed(1, 1),
    phase: "Running",
    message: 'The key for openai comes from Secret "openai-credentials", key "api-key"',
  },
  {
    says: "a key in the environment",
    type: "ProviderReady",
    reason: "Resolved",
    references: theReferences({
      providerSecret: { found: true, keys: [], source: "environment", name: "OPENAI_API_KEY" },
    }),
    observed: observed(1, 1),
    phase: "Running",
    message: "the environment variable OPENAI_API_KEY",
  },
  {
    says: "parameters of the spec, the pack and its canary that the model is not asked with",
    type: "ProviderReady",
    reason: "Resolved",
    spec: {
      provider: {
        name: "openai",
        model: "o3",
        apiKeySecretRef: { name: "openai-credentials", key: "api-key" },
        parameters: { seed: 7, maxTokens: 100, temperature: 0.5 },
      },
    },
    references: theReferences({
      promptPack: packReference({
        kept: [theVersion({ prompts: { support: { parameters: { top_k: 5, temperature: 1 } } } })],
        canary: theVersion({ prompts: { support: { parameters: { top_k: 5, top_p: 0.5 } } } }),
      }),
    }),
    observed: observed(1, 1),
    phase: "Running",
    message:
      'The key for openai comes from Secret "openai-credentials", key "api-key". Parameters: ' +
      'seed is not sent, since only chat completions have it (provider.api "chat"); ' +
      'temperature is not sent, since the model "o3" takes none; ' +
      "top_k of the pack is not sent, since OpenAI's protocol has none; " +
      'top_p of the pack is not sent, since the model "o3" takes none',
  },
  {
    says: "a handler that needs no provider, whatever is said of one",
    type: "ProviderReady",
    reason: "NotNeeded",
    spec: { facade: { handler: "demo" } },
    references: {},
    observed: observed(1, 1),
    phase: "Running",
    message: 'Handler "demo" runs no model',
  },
  {
    says: "a Secret that is not there",
    type: "ProviderReady",
    reason: "SecretNotFound",
    references: theReferences({ providerSecret: { found: false, hint: "set OPENAI_API_KEY" } }),
    phase: "Pending",
    message:
      'Secret "openai-credentials" is not there; make it, with the key "api-key", or set OPENAI_API_KEY',
  },
  {
    says: "an endpoint that the operator does not allow",
    type: "ProviderReady",
    reason: "NotAllowed",
    spec: {
      provider: {
        name: "openai",
        model: "gpt-4.1",
        apiKeySecretRef: { name: "openai-credentials", key: "api-key" },
        baseURL: "https://attacker.example/v1",
      },
    },
    policy: {
      ...DEFAULT_TRUST_POLICY,
      allowedBaseURLHosts: ["llm.example", "*.models.svc"],
    },
    phase: "Pending",
    message:
      'provider.baseURL names the host "attacker.example", which the operator does not allow; use one of llm.example, *.models.svc',
  },
  {
    says: "a Secret without the key",
    type: "ProviderReady",
    reason: "SecretKeyMissing",
    references: theReferences({ providerSecret: secret("openai-credentials", "key", "token") }),
    phase: "Pending",
    message: 'nothing under the key "api-key"; it has "key", "token"',
  },
  {
    says: "a key that no header can take",
    type: "ProviderReady",
    reason: "InvalidKey",
    references: theReferences({
      providerSecret: {
        ...secret("openai-credentials", "api-key"),
        unfitValues: { "api-key": "it holds a line break (2 lines)" },
      },
    }),
    phase: "Pending",
    message:
      'The key from Secret "openai-credentials", key "api-key" cannot be sent: it holds a line break (2 lines). Write the key alone into the Secret',
  },
  {
    says: "a key of the environment that no header can take",
    type: "ProviderReady",
    reason: "InvalidKey",
    references: theReferences({
      providerSecret: {
        found: true,
        keys: [],
        source: "environment",
        name: "OPENAI_API_KEY",
        unfitValues: { "api-key": "it holds a blank" },
      },
    }),
    phase: "Pending",
    message: "it holds a blank. Write the key alone into OPENAI_API_KEY",
  },
  {
    says: "another key of the Secret that no header can take",
    type: "ProviderReady",
    reason: "Resolved",
    references: theReferences({
      providerSecret: {
        ...secret("openai-credentials", "api-key", "notes"),
        unfitValues: { notes: "it holds a blank" },
      },
    }),
    observed: observed(1, 1),
    phase: "Running",
    message: "The key for openai comes from",
  },
  {
    says: "a key that a replica cannot use",
    type: "ProviderReady",
    reason: "InvalidKey",
    spec: { replicas: 2 },
    observed: {
      ...observed(2, 1),
      reports: [{ about: "provider", message: "the provider's API key is empty" }],
    },
    phase: "Running",
    message: "the provider's API key is empty",
  },
];
