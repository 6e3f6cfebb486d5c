import { demo, env, named, runtime, tokens, withProvider } from "./agent-runtime-manifest.ts";
import { REFUSED_AGENT_RUNTIMES } from "./agent-runtime-refused.cases.ts";
import { AGENT_RUNTIME } from "../group.ts";
import { type KindCase, manifestOf } from "./kind-case.ts";

const taken: KindCase[] = [
  { name: "a runtime agent with provider and pack", manifest: runtime() },
  {
    name: "an agent without provider whose runtime is a command",
    manifest: runtime({
      provider: undefined,
      env: [
        { name: "OMNIA_RUNTIME_COMMAND", value: "python app.py" },
        { name: "OMNIA_RUNTIME_HEALTH_PATH", value: "/health" },
        { name: "OMNIA_RUNTIME_PROTOCOL", value: "omnia.runtime.v1" },
      ],
    }),
  },
  {
    name: "an agent without provider whose runtime's address comes from a Secret",
    manifest: runtime({
      provider: undefined,
      env: [
        { name: "OMNIA_RUNTIME_URL", valueFrom: { secretKeyRef: { name: "runtime", key: "url" } } },
      ],
    }),
  },
  {
    name: "an agent without provider whose runtime is a module",
    manifest: runtime({ provider: undefined, env: [{ name: "OMNIA_RUNTIME", value: "./a.mjs" }] }),
  },
  {
    name: "an agent without provider with an image of its own",
    manifest: runtime({ provider: undefined, image: "registry.example/agent:1" }),
  },
  {
    name: "an agent with a provider and a runtime",
    manifest: env({ name: "OMNIA_RUNTIME_URL", value: "https://runtime.example/agent" }),
  },
  {
    name: "an agent with budgets",
    manifest: runtime({
      budget: { maxTokensPerTurn: 1, maxTokensPerSession: 50_000, maxTokensPerDay: 2_000_000_000 },
    }),
  },
  {
    name: "a provider with prices",
    manifest: withProvider({
      prices: {
        inputPerMillionTokens: 2.5,
        outputPerMillionTokens: 10,
        cachedInputPerMillionTokens: 0,
        currency: "EUR",
      },
    }),
  },
  {
    name: "a provider with prices in no named currency",
    manifest: withProvider({ prices: { inputPerMillionTokens: 0.15, outputPerMillionTokens: 0 } }),
  },
  { name: "a demo agent with nothing else", manifest: demo() },
  { name: "a demo agent with half a provider", manifest: demo({ provider: { name: "openai" } }) },
  {
    name: "a demo agent with half a reference to a key",
    manifest: demo({ provider: { apiKeySecretRef: { name: "llm" } } }),
  },
  {
    name: "an echo agent whose provider has an API that it does not know",
    manifest: manifestOf(AGENT_RUNTIME, {
      facade: { handler: "echo" },
      provider: { name: "google", api: "chat" },
    }),
  },
  {
    name: "an agent of another provider that leaves the name for the token limit open",
    manifest: withProvider({ name: "google", parameters: { tokenLimitField: "auto" } }),
  },
  {
    name: "a demo agent whose provider has a name for the token limit that it does not know",
    manifest: manifestOf(AGENT_RUNTIME, {
      facade: { handler: "demo" },
      provider: { name: "google", parameters: { tokenLimitField: "max_tokens" } },
    }),
  },
  { name: "no replicas", manifest: runtime({ replicas: 0 }) },
  {
    name: "the older spelling of the key's Secret",
    manifest: runtime({
      provider: { name: "anthropic", model: "claude" },
      providerSecretRef: { name: "llm" },
    }),
  },
  {
    name: "another endpoint, an API and every parameter",
    manifest: withProvider({
      baseURL: "http://vllm.models.svc:8000/v1",
      api: "chat",
      parameters: {
        temperature: 0.7,
        maxTokens: 1000,
        tokenLimitField: "max_completion_tokens",
        topP: 1,
        topK: 40,
        frequencyPenalty: -2,
        presencePenalty: 2,
        seed: -1,
        stopSequences: ["END"],
      },
    }),
  },
  { name: "an IPv6 endpoint", manifest: withProvider({ baseURL: "https://[::1]:8443/v1?x=1" }) },
  {
    name: "a pack of another namespace, a prompt and variables",
    manifest: runtime({
      promptPackRef: {
        name: "p",
        namespace: "prompts",
        prompt: "greeting",
        variables: { company: "", tone: "kind" },
      },
    }),
  },
  { name: "an empty reference to a registry", manifest: runtime({ toolRegistryRef: {} }) },
  {
    name: "a reference to a registry with an empty name",
    manifest: runtime({ toolRegistryRef: { name: "" } }),
  },
  {
    name: "a facade with origins and both ways to sign in",
    manifest: runtime({
      facade: {
        type: "websocket",
        port: 65535,
        allowedOrigins: ["https://example.com", "http://localhost:3000", "*"],
        auth: {
          jwt: {
            issuer: "https://login.example.com/",
            jwksUri: "https://login.example.com/keys",
            audiences: ["omnia"],
            requiredClaims: { role: "user" },
          },
          apiKeysSecretRef: { name: "clients" },
        },
      },
    }),
  },
  ...["http://localhost/keys", "http://127.0.0.1:8080?x", "http://[::1]:8080/keys"].map(
    (jwksUri) => ({
      name: `keys of tokens from this machine, ${jwksUri}`,
      manifest: tokens({ issuer: "http://issuer.team.svc", jwksUri }),
    }),
  ),
  {
    name: "an issuer on this machine",
    manifest: tokens({ issuer: "http://localhost:8080/realm" }),
  },
  {
    name: "sessions in Redis",
    manifest: runtime({
      session: { type: "redis", ttl: "1h30m", storeRef: { name: "redis", key: "url" } },
    }),
  },
  { name: "a fraction of an hour", manifest: runtime({ session: { ttl: "1.5h" } }) },
  { name: "microseconds with a mu", manifest: runtime({ session: { ttl: "1500µs" } }) },
  {
    name: "resources in every spelling",
    manifest: runtime({
      resources: {
        requests: { cpu: 1, memory: "256Mi", "ephemeral-storage": "1e9" },
        limits: { cpu: "1000m", memory: "1Gi", "nvidia.com/gpu": "1" },
        claims: [{ name: "gpu" }],
      },
    }),
  },
  {
    name: "variables of every source",
    manifest: env(
      { name: "LOG_LEVEL", value: "debug" },
      { name: "EMPTY", value: "" },
      { name: "NOTHING" },
      { name: "A", valueFrom: { configMapKeyRef: { name: "c", key: "k", optional: true } } },
      { name: "B", valueFrom: { secretKeyRef: { name: "s", key: "k" } } },
      { name: "C", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      { name: "D", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "1m" } } },
    ),
  },
  {
    name: "autoscaling with keda down to zero",
    manifest: runtime({
      autoscaling: {
        enabled: true,
        type: "keda",
        minReplicas: 0,
        maxReplicas: 5,
        keda: { triggers: [{ type: "prometheus", metadata: { query: "up", threshold: "1" } }] },
      },
    }),
  },
  {
    name: "placement of pods",
    manifest: runtime({
      image: "example.com/agent:1",
      imagePullSecrets: [{ name: "registry" }],
      nodeSelector: { "kubernetes.io/arch": "arm64" },
      tolerations: [{ key: "spot", operator: "Exists", effect: "NoSchedule" }],
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: "zone", operator: "In", values: ["a", "b"] }] },
            ],
          },
        },
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            {
              weight: 100,
              podAffinityTerm: {
                labelSelector: { matchLabels: { app: "agent" } },
                topologyKey: "kubernetes.io/hostname",
              },
            },
          ],
        },
      },
    }),
  },
  {
    name: "all that a pod template may say",
    manifest: runtime({
      podTemplate: {
        labels: { team: "support" },
        annotations: { "linkerd.io/inject": "enabled" },
        priorityClassName: "important",
        serviceAccountName: "support",
        terminationGracePeriodSeconds: 120,
        topologySpreadConstraints: [
          { topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule", minDomains: 2 },
        ],
        volumes: [
          { name: "cache", emptyDir: { medium: "Memory", sizeLimit: "64Mi" } },
          { name: "settings", configMap: { name: "settings", items: [{ key: "a", path: "b" }] } },
          { name: "data", persistentVolumeClaim: { claimName: "data" } },
          {
            name: "identity",
            projected: {
              sources: [{ serviceAccountToken: { path: "token", expirationSeconds: 3600 } }],
            },
          },
          { name: "vault", csi: { driver: "secrets.example", volumeAttributes: { a: "b" } } },
        ],
        volumeMounts: [{ name: "cache", mountPath: "/cache" }],
        sidecars: [
          {
            name: "proxy",
            image: "example/proxy:1",
            args: ["--port=5432"],
            env: [{ name: "A", value: "b" }],
            ports: [{ containerPort: 5432 }],
            resources: { requests: { cpu: "50m" } },
            volumeMounts: [{ name: "cache", mountPath: "/cache" }],
            startupProbe: { tcpSocket: { port: 5432 }, periodSeconds: 1 },
          },
        ],
      },
    }),
  },
  { name: "a name of 63 characters", manifest: named("a".repeat(63)) },
  {
    name: "labels, annotations and what an API server adds to the metadata",
    manifest: {
      ...demo(),
      metadata: {
        name: "a",
        labels: { "example.com/team": "support", empty: "" },
        annotations: { note: "any text, at all" },
        finalizers: ["example.com/keep"],
      },
    },
  },
];

export const AGENT_RUNTIME_CASES: readonly KindCase[] = [...taken, ...REFUSED_AGENT_RUNTIMES];
