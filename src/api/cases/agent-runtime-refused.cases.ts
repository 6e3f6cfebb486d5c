import { demo, env, named, runtime, tokens, withProvider } from "./agent-runtime-manifest.ts";
import { AGENT_RUNTIME } from "../group.ts";
import { type KindCase, manifestOf } from "./kind-case.ts";

export const REFUSED_AGENT_RUNTIMES: readonly KindCase[] = [
  {
    name: "a runtime agent without provider",
    manifest: runtime({ provider: undefined }),
    refusedAt: "spec.provider",
  },
  {
    name: "a runtime agent without pack",
    manifest: runtime({ promptPackRef: undefined }),
    refusedAt: "spec.promptPackRef",
  },
  {
    name: "a provider without name",
    manifest: withProvider({ name: undefined }),
    refusedAt: "spec.provider.name",
  },
  {
    name: "a provider without model",
    manifest: withProvider({ model: undefined }),
    refusedAt: "spec.provider.model",
  },
  {
    name: "an empty model",
    manifest: withProvider({ model: "" }),
    refusedAt: "spec.provider.model",
  },
  {
    name: "a provider without key",
    manifest: withProvider({ apiKeySecretRef: undefined }),
    refusedAt: "spec.provider.apiKeySecretRef",
  },
  {
    name: "a budget of no tokens",
    manifest: runtime({ budget: { maxTokensPerTurn: 0 } }),
    refusedAt: "spec.budget.maxTokensPerTurn",
  },
  {
    name: "a budget of half a token",
    manifest: runtime({ budget: { maxTokensPerDay: 0.5 } }),
    refusedAt: "spec.budget.maxTokensPerDay",
  },
  {
    name: "a budget beyond what an int32 holds",
    manifest: runtime({ budget: { maxTokensPerSession: 2_147_483_648 } }),
    refusedAt: "spec.budget.maxTokensPerSession",
  },
  {
    name: "a negative price",
    manifest: withProvider({ prices: { inputPerMillionTokens: -1, outputPerMillionTokens: 1 } }),
    refusedAt: "spec.provider.prices.inputPerMillionTokens",
  },
  {
    name: "prices without that of output",
    manifest: withProvider({ prices: { inputPerMillionTokens: 1 } }),
    refusedAt: "spec.provider.prices.outputPerMillionTokens",
  },
  {
    name: "prices in a sign of a currency",
    manifest: withProvider({
      prices: { inputPerMillionTokens: 1, outputPerMillionTokens: 1, currency: "$" },
    }),
    refusedAt: "spec.provider.prices.currency",
  },
  {
    name: "a reference to a key without the key's name",
    manifest: withProvider({ apiKeySecretRef: { name: "llm" } }),
    refusedAt: "spec.provider.apiKeySecretRef.key",
  },
  {
    name: "a reference to a key without the Secret's name",
    manifest: withProvider({ apiKeySecretRef: { key: "k" } }),
    refusedAt: "spec.provider.apiKeySecretRef.name",
  },
  {
    name: "both spellings of the key's Secret",
    manifest: runtime({ providerSecretRef: { name: "llm" } }),
    refusedAt: "spec.providerSecretRef",
  },
  {
    name: "an unknown provider",
    manifest: withProvider({ name: "mistral" }),
    refusedAt: "spec.provider.name",
  },
  {
    name: "an unknown provider of a demo agent",
    manifest: demo({ provider: { name: "mistral" } }),
    refusedAt: "spec.provider.name",
  },
  {
    name: "an unknown field of a demo agent's provider",
    manifest: demo({ provider: { modle: "x" } }),
    refusedAt: "spec.provider.modle",
  },
  {
    name: "an API of a provider that has one only",
    manifest: withProvider({ name: "anthropic", api: "chat" }),
    refusedAt: "spec.provider.api",
  },
  {
    name: "a name for the token limit with a provider that has one only",
    manifest: withProvider({
      name: "google",
      parameters: { tokenLimitField: "max_completion_tokens" },
    }),
    refusedAt: "spec.provider.parameters.tokenLimitField",
  },
  {
    name: "a name for the token limit that no server has",
    manifest: withProvider({ parameters: { tokenLimitField: "max_output_tokens" } }),
    refusedAt: "spec.provider.parameters.tokenLimitField",
  },
  {
    name: "a base URL of another scheme",
    manifest: withProvider({ baseURL: "ftp://example.com" }),
    refusedAt: "spec.provider.baseURL",
  },
  {
    name: "a base URL with a password",
    manifest: withProvider({ baseURL: "https://user:pass@example.com/v1" }),
    refusedAt: "spec.provider.baseURL",
  },
  {
    name: "a base URL that is none",
    manifest: withProvider({ baseURL: "api.example.com" }),
    refusedAt: "spec.provider.baseURL",
  },
  {
    name: "too high a temperature",
    manifest: withProvider({ parameters: { temperature: 2.1 } }),
    refusedAt: "spec.provider.parameters.temperature",
  },
  {
    name: "a fraction of a token",
    manifest: withProvider({ parameters: { maxTokens: 1.5 } }),
    refusedAt: "spec.provider.parameters.maxTokens",
  },
  {
    name: "too many stop sequences",
    manifest: withProvider({ parameters: { stopSequences: Array(17).fill("x") } }),
    refusedAt: "spec.provider.parameters.stopSequences",
  },
  {
    name: "a number as a variable of the prompt",
    manifest: runtime({ promptPackRef: { name: "p", variables: { count: 3 } } }),
    refusedAt: "spec.promptPackRef.variables.count",
  },
  {
    name: "a pack without name",
    manifest: runtime({ promptPackRef: { namespace: "x" } }),
    refusedAt: "spec.promptPackRef.name",
  },
  {
    name: "a pack with a name that none can have",
    manifest: runtime({ promptPackRef: { name: "My Pack" } }),
    refusedAt: "spec.promptPackRef.name",
  },
  {
    name: "a registry with a namespace that none can have",
    manifest: runtime({ toolRegistryRef: { name: "t", namespace: "a.b" } }),
    refusedAt: "spec.toolRegistryRef.namespace",
  },
  { name: "-1 replicas", manifest: runtime({ replicas: -1 }), refusedAt: "spec.replicas" },
  {
    name: "replicas as a string",
    manifest: runtime({ replicas: "3" }),
    refusedAt: "spec.replicas",
  },
  { name: "an unknown field", manifest: runtime({ replica: 3 }), refusedAt: "spec.replica" },
  {
    name: "the management port",
    manifest: runtime({ facade: { port: 8081 } }),
    refusedAt: "spec.facade.port",
  },
  {
    name: "a port beyond the last",
    manifest: runtime({ facade: { port: 65536 } }),
    refusedAt: "spec.facade.port",
  },
  { name: "port 0", manifest: runtime({ facade: { port: 0 } }), refusedAt: "spec.facade.port" },
  {
    name: "an unknown protocol",
    manifest: runtime({ facade: { type: "grpc" } }),
    refusedAt: "spec.facade.type",
  },
  {
    name: "an unknown handler",
    manifest: runtime({ facade: { handler: "Demo" } }),
    refusedAt: "spec.facade.handler",
  },
  {
    name: "an origin with a path",
    manifest: runtime({ facade: { allowedOrigins: ["https://example.com/app"] } }),
    refusedAt: "spec.facade.allowedOrigins[0]",
  },
  {
    name: "an origin twice",
    manifest: runtime({ facade: { allowedOrigins: ["*", "*"] } }),
    refusedAt: "spec.facade.allowedOrigins[1]",
  },
  {
    name: "authentication that lets nobody say who they are",
    manifest: runtime({ facade: { auth: {} } }),
    refusedAt: "spec.facade.auth",
  },
  {
    name: "tokens for any audience",
    manifest: runtime({ facade: { auth: { jwt: { issuer: "https://x.example" } } } }),
    refusedAt: "spec.facade.auth.jwt.audiences",
  },
  {
    name: "tokens for no audience",
    manifest: runtime({
      facade: { auth: { jwt: { issuer: "https://x.example", audiences: [] } } },
    }),
    refusedAt: "spec.facade.auth.jwt.audiences",
  },
  {
    name: "keys of tokens that come without encryption",
    manifest: tokens({ issuer: "https://x.example", jwksUri: "http://x.example/keys" }),
    refusedAt: "spec.facade.auth.jwt.jwksUri",
  },
  {
    name: "keys of tokens from a host that only begins as this machine does",
    manifest: tokens({ issuer: "https://x.example", jwksUri: "http://127.0.0.1.x.example/keys" }),
    refusedAt: "spec.facade.auth.jwt.jwksUri",
  },
  {
    name: "keys of tokens from a name under localhost",
    manifest: tokens({ issuer: "https://x.example", jwksUri: "http://keys.localhost/" }),
    refusedAt: "spec.facade.auth.jwt.jwksUri",
  },
  {
    name: "an issuer that is asked for its keys without encryption",
    manifest: tokens({ issuer: "http://x.example" }),
    refusedAt: "spec.facade.auth.jwt.issuer",
  },
  {
    name: "sessions in Redis without a store",
    manifest: runtime({ session: { type: "redis" } }),
    refusedAt: "spec.session.storeRef",
  },
  {
    name: "a store without key",
    manifest: runtime({ session: { type: "redis", storeRef: { name: "redis" } } }),
    refusedAt: "spec.session.storeRef.key",
  },
  {
    name: "a store with a key that no Secret can have",
    manifest: runtime({ session: { type: "redis", storeRef: { name: "redis", key: "../url" } } }),
    refusedAt: "spec.session.storeRef.key",
  },
  {
    name: "an unknown kind of sessions",
    manifest: runtime({ session: { type: "postgres" } }),
    refusedAt: "spec.session.type",
  },
  {
    name: "a ttl in days",
    manifest: runtime({ session: { ttl: "1d" } }),
    refusedAt: "spec.session.ttl",
  },
  {
    name: "a ttl as a number",
    manifest: runtime({ session: { ttl: 3600 } }),
    refusedAt: "spec.session.ttl",
  },
  {
    name: "a ttl of nothing",
    manifest: runtime({ session: { ttl: "0s" } }),
    refusedAt: "spec.session.ttl",
  },
  {
    name: "a ttl below zero",
    manifest: runtime({ session: { ttl: "-1h" } }),
    refusedAt: "spec.session.ttl",
  },
  {
    name: "a ttl of less than a millisecond",
    manifest: runtime({ session: { ttl: "999us" } }),
    refusedAt: "spec.session.ttl",
  },
  {
    name: "a ttl of more than a year",
    manifest: runtime({ session: { ttl: "8760h1s" } }),
    refusedAt: "spec.session.ttl",
  },
  {
    name: "a ttl of a nanosecond more than a year",
    manifest: runtime({ session: { ttl: "8760h1ns" } }),
    refusedAt: "spec.session.ttl",
  },
  {
    name: "memory in words",
    manifest: runtime({ resources: { limits: { memory: "lots" } } }),
    refusedAt: "spec.resources.limits.memory",
  },
  {
    name: "memory below zero",
    manifest: runtime({ resources: { limits: { memory: "-1Gi" } } }),
    refusedAt: "spec.resources.limits.memory",
  },
  {
    name: "a fraction of a CPU without quotes",
    manifest: runtime({ resources: { limits: { cpu: 0.5 } } }),
    refusedAt: "spec.resources.limits.cpu",
  },
  {
    name: "CPUs below zero",
    manifest: runtime({ resources: { limits: { cpu: -1 } } }),
    refusedAt: "spec.resources.limits.cpu",
    serverRefusesAt: "spec.resources.limits[cpu]",
  },
  {
    name: "a request above its limit",
    manifest: runtime({ resources: { requests: { cpu: "1500m" }, limits: { cpu: 1 } } }),
    refusedAt: "spec.resources.requests",
  },
  {
    name: "a variable that belongs to Omnia",
    manifest: env({ name: "OMNIA_AGENT_NAME", value: "x" }),
    refusedAt: "spec.env[0].name",
  },
  {
    name: "two runtimes",
    manifest: env(
      { name: "OMNIA_RUNTIME_COMMAND", value: "python app.py" },
      { name: "OMNIA_RUNTIME_URL", value: "http://runtime.example" },
    ),
    refusedAt: "spec.env",
  },
  {
    name: "a runtime agent without provider that sets how a runtime is spoken with, and names none",
    manifest: runtime({
      provider: undefined,
      env: [{ name: "OMNIA_RUNTIME_PROTOCOL", value: "ag-ui" }],
    }),
    refusedAt: "spec.provider",
  },
  {
    name: "a runtime agent with a runtime and half a provider",
    manifest: runtime({
      provider: { name: "openai", apiKeySecretRef: { name: "llm", key: "k" } },
      env: [{ name: "OMNIA_RUNTIME_COMMAND", value: "python app.py" }],
    }),
    refusedAt: "spec.provider.model",
  },
  {
    name: "a runtime agent with a runtime and no pack",
    manifest: runtime({
      promptPackRef: undefined,
      env: [{ name: "OMNIA_RUNTIME_COMMAND", value: "python app.py" }],
    }),
    refusedAt: "spec.promptPackRef",
  },
  {
    name: "a variable without name",
    manifest: env({ value: "x" }),
    refusedAt: "spec.env[0].name",
  },
  {
    name: "a variable with a name that none can have",
    manifest: env({ name: "A B" }),
    refusedAt: "spec.env[0].name",
  },
  {
    name: "a number as a variable",
    manifest: env({ name: "A", value: 1 }),
    refusedAt: "spec.env[0].value",
  },
  {
    name: "a variable with a character that no process can be given",
    manifest: env({ name: "A", value: "a\0b" }),
    refusedAt: "spec.env[0].value",
  },
  {
    name: "a variable twice",
    manifest: env({ name: "A", value: "1" }, { name: "B" }, { name: "A", value: "2" }),
    refusedAt: "spec.env[2].name",
    serverRefusesAt: "spec.env[2]",
  },
  {
    name: "a variable with a value and a source",
    manifest: env({ name: "A", value: "x", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }),
    refusedAt: "spec.env[0].valueFrom",
  },
  {
    name: "a variable with an empty source",
    manifest: env({ name: "A", valueFrom: {} }),
    refusedAt: "spec.env[0].valueFrom",
  },
  {
    name: "a variable with two sources",
    manifest: env({
      name: "A",
      valueFrom: {
        secretKeyRef: { name: "s", key: "k" },
        fieldRef: { fieldPath: "metadata.name" },
      },
    }),
    refusedAt: "spec.env[0].valueFrom",
  },
  {
    name: "a source of an unknown kind",
    manifest: env({
      name: "A",
      valueFrom: { secretKeyRef: { name: "s", key: "k" }, vaultRef: {} },
    }),
    refusedAt: "spec.env[0].valueFrom.vaultRef",
  },
  {
    name: "fewest replicas above most",
    manifest: runtime({ autoscaling: { minReplicas: 5, maxReplicas: 4 } }),
    refusedAt: "spec.autoscaling.minReplicas",
  },
  {
    name: "fewest replicas above the default most",
    manifest: runtime({ autoscaling: { minReplicas: 11 } }),
    refusedAt: "spec.autoscaling.minReplicas",
  },
  {
    name: "zero replicas with an autoscaler that cannot",
    manifest: runtime({ autoscaling: { enabled: true, minReplicas: 0 } }),
    refusedAt: "spec.autoscaling.minReplicas",
  },
  {
    name: "an unknown autoscaler",
    manifest: runtime({ autoscaling: { type: "vpa" } }),
    refusedAt: "spec.autoscaling.type",
  },
  {
    name: "an unknown effect of a taint",
    manifest: runtime({ tolerations: [{ effect: "Never" }] }),
    refusedAt: "spec.tolerations[0].effect",
  },
  {
    name: "an unknown field deep in the affinity",
    manifest: runtime({ affinity: { nodeAffinity: { required: [] } } }),
    refusedAt: "spec.affinity.nodeAffinity.required",
  },
  { name: "a name with capitals", manifest: named("Support"), refusedAt: "metadata.name" },
  { name: "a name with a dot", manifest: named("support.eu"), refusedAt: "metadata.name" },
  { name: "a name that begins with a digit", manifest: named("1st"), refusedAt: "metadata.name" },
  { name: "a name of 64 characters", manifest: named("a".repeat(64)), refusedAt: "metadata.name" },
  { name: "no spec", manifest: manifestOf(AGENT_RUNTIME, undefined), refusedAt: "spec" },
  {
    name: "a label with a value that none can have",
    manifest: { ...demo(), metadata: { name: "a", labels: { team: "a b" } } },
    refusedAt: "metadata.labels.team",
    serverRefusesAt: "metadata.labels",
  },
  {
    name: "an unknown field of the metadata",
    manifest: { ...demo(), metadata: { name: "a", label: {} } },
    refusedAt: "metadata.label",
  },
  ...podTemplate(),
];

function podTemplate(): KindCase[] {
  const refused: [name: string, template: object, at: string][] = [
    [
      "a label of pods that is Omnia's own",
      { labels: { "app.kubernetes.io/name": "a" } },
      "labels",
    ],
    [
      "an annotation that is Omnia's own",
      { annotations: { "omnia.altairalabs.ai/a": "b" } },
      "annotations",
    ],
    [
      "a volume with the name of one of Omnia's",
      { volumes: [{ name: "secrets", emptyDir: {} }] },
      "volumes[0].name",
    ],
    [
      "a volume of the node",
      { volumes: [{ name: "a", emptyDir: {}, hostPath: { path: "/" } }] },
      "volumes[0].hostPath",
    ],
    ["a volume of nothing", { volumes: [{ name: "a" }] }, "volumes[0]"],
    [
      "a volume where Omnia's own files are",
      { volumeMounts: [{ name: "a", mountPath: "/etc/omnia/secrets" }] },
      "volumeMounts[0].mountPath",
    ],
    [
      "a sidecar with the name of the agent's container",
      { sidecars: [{ name: "agent", image: "a" }] },
      "sidecars[0].name",
    ],
    [
      "a sidecar that asks for more rights",
      { sidecars: [{ name: "a", image: "a", securityContext: { privileged: true } }] },
      "sidecars[0].securityContext",
    ],
    [
      "a probe of nothing",
      { sidecars: [{ name: "a", image: "a", readinessProbe: { periodSeconds: 1 } }] },
      "sidecars[0].readinessProbe",
    ],
    ["no time to end", { terminationGracePeriodSeconds: 0 }, "terminationGracePeriodSeconds"],
  ];
  return refused.map(([name, template, at]) => ({
    name,
    manifest: runtime({ podTemplate: template }),
    refusedAt: `spec.podTemplate.${at}`,
  }));
}
