import { describe, expect, it } from "vitest";
import { agentRuntimeFields } from "../../../test/support/builders/agent-runtime-fields.ts";
import {
  decided,
  packReference,
  registryReference,
  secret,
  theReferences,
  theVersion,
} from "../../../test/support/builders/a-decision.ts";

const SPEC = {
  replicas: 2,
  provider: {
    name: "openai",
    model: "gpt-4",
    apiKeySecretRef: { name: "openai-credentials", key: "api-key" },
    baseURL: "http://gateway.example/v1",
    api: "chat",
    parameters: {
      temperature: 0,
      maxTokens: 1,
      tokenLimitField: "auto",
      topP: 0,
      topK: 1,
      frequencyPenalty: 0,
      presencePenalty: 0,
      seed: 1,
      stopSequences: ["a"],
    },
    prices: {
      inputPerMillionTokens: 1,
      outputPerMillionTokens: 2,
      cachedInputPerMillionTokens: 0.5,
      currency: "USD",
    },
  },
  budget: { maxTokensPerTurn: 1_000, maxTokensPerSession: 2_000, maxTokensPerDay: 3_000 },
  promptPackRef: {
    name: "prompts",
    namespace: "shared",
    prompt: "support",
    variables: { name: "Ann" },
  },
  toolRegistryRef: {
    name: "tools",
    namespace: "shared",
    credentials: [{ tool: "lookup-user", secretRef: { name: "token", key: "other" } }],
  },
  facade: {
    type: "websocket",
    port: 8080,
    handler: "runtime",
    allowedOrigins: ["https://a.example"],
    auth: {
      jwt: {
        issuer: "https://issuer.example",
        jwksUri: "https://issuer.example/keys",
        audiences: ["a"],
        requiredClaims: { team: "a" },
      },
      apiKeysSecretRef: { name: "clients" },
    },
  },
  session: { type: "redis", ttl: "1h", storeRef: { name: "redis-credentials", key: "url" } },
  resources: {
    limits: { memory: "1Gi" },
    requests: { memory: "512Mi" },
    claims: [{ name: "gpu" }],
  },
  env: [{ name: "LOG_LEVEL", value: "info" }],
  autoscaling: {
    enabled: true,
    type: "keda",
    minReplicas: 1,
    maxReplicas: 10,
    targetMemoryUtilizationPercentage: 70,
    targetCPUUtilizationPercentage: 90,
    scaleDownStabilizationSeconds: 300,
    keda: { pollingInterval: 30, cooldownPeriod: 300, triggers: [{ type: "cron", metadata: {} }] },
  },
  nodeSelector: { disk: "ssd" },
  tolerations: [{ key: "gpu" }],
  affinity: { nodeAffinity: {}, podAffinity: {}, podAntiAffinity: {} },
  image: "example/agent:1",
  imagePullSecrets: [{ name: "registry" }],
  podTemplate: {},
};

/** Each field of the spec with another value, which must change the agent or its replicas. */
const CHANGES: Record<string, unknown> = {
  "toolRegistryRef.credentials": [
    { tool: "lookup-user", secretRef: { name: "token", key: "url" } },
  ],
  replicas: 3,
  "provider.name": "anthropic",
  "provider.model": "gpt-5",
  "provider.apiKeySecretRef.name": "other",
  "provider.apiKeySecretRef.key": "other",
  "provider.baseURL": "http://other.example/v1",
  "provider.api": "responses",
  "provider.parameters.temperature": 1,
  "provider.parameters.maxTokens": 2,
  "provider.parameters.tokenLimitField": "max_tokens",
  "provider.parameters.topP": 1,
  "provider.parameters.topK": 2,
  "provider.parameters.frequencyPenalty": 1,
  "provider.parameters.presencePenalty": 1,
  "provider.parameters.seed": 2,
  "provider.parameters.stopSequences": ["b"],
  "provider.prices.inputPerMillionTokens": 2,
  "provider.prices.outputPerMillionTokens": 3,
  "provider.prices.cachedInputPerMillionTokens": undefined,
  "provider.prices.currency": "EUR",
  "budget.maxTokensPerTurn": 1_001,
  "budget.maxTokensPerSession": 2_001,
  "budget.maxTokensPerDay": undefined,
  "promptPackRef.name": "other",
  "promptPackRef.prompt": "sales",
  "promptPackRef.variables": { name: "Bob" },
  "facade.port": 9000,
  "facade.handler": "echo",
  "facade.allowedOrigins": ["*"],
  "facade.auth.jwt.issuer": "https://other.example",
  "facade.auth.jwt.jwksUri": "https://other.example/keys",
  "facade.auth.jwt.audiences": ["b"],
  "facade.auth.jwt.requiredClaims": {},
  "facade.auth.apiKeysSecretRef.name": "others",
  "session.type": "memory",
  "session.ttl": "2h",
  "session.storeRef.name": "other",
  "session.storeRef.key": "other",
  "resources.limits": { memory: "2Gi" },
  "resources.requests": {},
  "resources.claims": [],
  env: [],
  "autoscaling.enabled": false,
  "autoscaling.type": "hpa",
  "autoscaling.minReplicas": 2,
  "autoscaling.maxReplicas": 20,
  "autoscaling.targetMemoryUtilizationPercentage": 71,
  "autoscaling.targetCPUUtilizationPercentage": 91,
  "autoscaling.scaleDownStabilizationSeconds": 301,
  "autoscaling.keda.pollingInterval": 31,
  "autoscaling.keda.cooldownPeriod": 301,
  "autoscaling.keda.triggers": [],
  nodeSelector: {},
  tolerations: [],
  "affinity.nodeAffinity": undefined,
  "affinity.podAffinity": undefined,
  "affinity.podAntiAffinity": undefined,
  image: "example/agent:2",
  imagePullSecrets: [],
  "podTemplate.labels": { team: "a" },
  "podTemplate.annotations": { "example.com/a": "b" },
  "podTemplate.priorityClassName": "first",
  "podTemplate.serviceAccountName": "bot",
  "podTemplate.topologySpreadConstraints": [{ topologyKey: "zone" }],
  "podTemplate.volumes": [{ name: "cache", emptyDir: {} }],
  "podTemplate.volumeMounts": [{ name: "cache", mountPath: "/cache" }],
  "podTemplate.terminationGracePeriodSeconds": 300,
  "podTemplate.sidecars": [{ name: "proxy", image: "example/proxy:1" }],
};

/** Fields that say which object is gathered, or that have one value only. */
const GATHERED = [
  "promptPackRef.namespace",
  "toolRegistryRef.name",
  "toolRegistryRef.namespace",
  "facade.type",
  "providerSecretRef.name",
  "providerSecretRef.key",
];

const keys = ["api-key", "url", "other"];
const references = theReferences({
  promptPack: packReference({
    kept: [
      theVersion({
        prompts: {
          support: { system_template: "Hi {{name}}" },
          sales: { system_template: "Buy, {{name}}" },
        },
      }),
    ],
  }),
  toolRegistry: registryReference(),
  providerSecret: secret("openai-credentials", ...keys),
  sessionStoreSecret: secret("redis-credentials", ...keys),
  apiKeysSecret: secret("clients", ...keys),
});

function outcome(spec: Record<string, unknown>): string {
  const { config, workload } = decided({ spec, references });
  if (config === undefined) throw new Error("no config");
  return JSON.stringify([config, workload]);
}

function changed(path: string, value: unknown): Record<string, unknown> {
  const spec = structuredClone(SPEC) as Record<string, unknown>;
  const names = path.split(".");
  const last = names.pop() ?? "";
  let parent = spec;
  for (const name of names) parent = parent[name] as Record<string, unknown>;
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  // The rules demand these of the other fields.
  if (path === "provider.name") delete (spec["provider"] as Record<string, unknown>)["api"];
  if (path === "replicas") (spec["autoscaling"] as Record<string, unknown>)["enabled"] = false;
  return spec;
}

describe("every field of an AgentRuntime", () => {
  it("is in this table", () => {
    const known = [...Object.keys(CHANGES), ...GATHERED].toSorted();
    expect(agentRuntimeFields()).toEqual(known);
  });

  it.each(Object.entries(CHANGES))("reaches the agent or its replicas: %s", (path, value) => {
    const base = changed("replicas", SPEC.replicas);
    expect(outcome(changed(path, value))).not.toBe(outcome(path === "replicas" ? base : SPEC));
  });

  it("has the same effect in the older spelling of the key's Secret", () => {
    const { apiKeySecretRef, ...provider } = SPEC.provider;
    const older = outcome({ ...SPEC, provider, providerSecretRef: apiKeySecretRef });
    expect(older).toBe(outcome(SPEC));
  });
});
