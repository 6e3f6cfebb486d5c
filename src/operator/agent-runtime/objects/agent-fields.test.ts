/** Each field of an AgentRuntime, from its manifest to the object or the file that a pod gets. */
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseDocument } from "yaml";
import { theVersion } from "../../../../test/support/builders/a-decision.ts";
import { agentRuntimeFields } from "../../../../test/support/builders/agent-runtime-fields.ts";
import {
  makeAgent,
  type MadeAgent,
  type World,
} from "../../../../test/support/operator/made-agent.ts";
import { AGENT_CONFIG_PATH } from "../../../agent-config/agent-config.ts";
import { folderForAllTests } from "../../../../test/support/builders/fixtures.ts";

const MANIFEST = `
apiVersion: omnia.altairalabs.ai/v1alpha1
kind: AgentRuntime
metadata:
  name: support
  namespace: agents
spec:
  provider:
    name: openai
    model: test-model
    apiKeySecretRef:
      name: model
      key: api-key
  promptPackRef:
    name: prompts
    variables:
      name: Ann
`;

const prompt = (says: string): { system_template: string } => ({ system_template: says });
const WORLD: World = {
  packs: {
    "agents/prompts": theVersion({
      prompts: { default: prompt("Help {{name}}."), sales: prompt("Sell to {{name}}.") },
    }),
    "agents/other": theVersion({ prompts: { default: prompt("Another pack.") } }),
    "shared/prompts": theVersion({ prompts: { default: prompt("A shared pack.") } }),
  },
  registries: {
    "agents/tools": { url: "http://tools.example/own" },
    "shared/tools": {
      url: "http://tools.example/shared",
      authSecretRef: { name: "tool-token", key: "token" },
    },
  },
  secrets: {
    "agents/model": { "api-key": "sk-first", second: "sk-second" },
    "agents/other": { "api-key": "sk-other" },
    "agents/clients": { phone: "key-phone", web: "key-web" },
    "agents/redis": { url: "redis://store:6379", second: "redis://second:6379" },
    "agents/other-redis": { url: "redis://other:6379" },
    "agents/tool-token": { token: "tool-token" },
  },
  configMaps: { "agents/settings": { region: "north" } },
};

type Read = (made: MadeAgent) => unknown;

interface Field {
  readonly value: unknown;
  readonly read: Read;
  /** What `read` gives. @default the value itself */
  readonly seen?: unknown;
  /** Other fields of the manifest. A field with `undefined` is left out of it. */
  readonly beside?: Record<string, unknown>;
}

const inConfig =
  (path: string): Read =>
  ({ config }) =>
    at(config, path);
const inPod =
  (path: string): Read =>
  ({ pod }) =>
    at(pod.spec, path);
const inContainer =
  (path: string): Read =>
  ({ container }) =>
    at(container, path);
/** Autoscaling is decided, but no object is made for it yet. */
const inAutoscaling =
  (path: string): Read =>
  ({ workload }) =>
    at(workload.autoscaling, path);
/** Reads the content of the file whose path is in the config. */
const inFile =
  (path: string, more = ""): Read =>
  (made) =>
    made.file(join(dirname(AGENT_CONFIG_PATH), String(at(made.config, path)), more));

const system = inConfig("prompt.active.system");
const apiKey = inFile("provider.apiKeyFile");
const storeURL = inFile("session.storeURLFile");
const REDIS = { "session.type": "redis", "session.storeRef": { name: "redis", key: "url" } };
const SCALED = { "autoscaling.enabled": true };
const JWT = { "facade.auth.jwt": { issuer: "https://issuer.example", audiences: ["agents"] } };
const OLDER = { "provider.apiKeySecretRef": undefined };

const PRICES = { "provider.prices": { inputPerMillionTokens: 1, outputPerMillionTokens: 2 } };

const nodeAffinity = {
  requiredDuringSchedulingIgnoredDuringExecution: {
    nodeSelectorTerms: [{ matchExpressions: [{ key: "gpu", operator: "Exists" }] }],
  },
};
const podAffinity = {
  requiredDuringSchedulingIgnoredDuringExecution: [
    { labelSelector: { matchLabels: { app: "cache" } }, topologyKey: "kubernetes.io/hostname" },
  ],
};

const FIELDS: Record<string, Field | readonly Field[]> = {
  replicas: [
    { value: 3, read: ({ deployment }) => deployment.spec.replicas },
    { value: 0, read: ({ deployment }) => deployment.spec.replicas },
    { value: 1, read: hasBudget, seen: false },
    { value: 2, read: hasBudget, seen: true },
  ],

  "provider.name": { value: "anthropic", read: inConfig("provider.name") },
  "provider.model": { value: "another-model", read: inConfig("provider.model") },
  "provider.apiKeySecretRef.name": { value: "other", read: apiKey, seen: "sk-other" },
  "provider.apiKeySecretRef.key": { value: "second", read: apiKey, seen: "sk-second" },
  "provider.baseURL": { value: "http://gateway.example/v1", read: inConfig("provider.baseURL") },
  "provider.api": { value: "responses", read: inConfig("provider.api") },
  ...Object.fromEntries(
    Object.entries({
      temperature: 0.5,
      maxTokens: 7,
      topP: 0.25,
      topK: 8,
      frequencyPenalty: -1,
      presencePenalty: 1,
      seed: -9,
      stopSequences: ["END"],
    }).map(([name, value]) => [
      `provider.parameters.${name}`,
      { value, read: inConfig(`provider.parameters.${name}`) },
    ]),
  ),
  "provider.parameters.tokenLimitField": {
    value: "max_completion_tokens",
    read: inConfig("provider.tokenLimitField"),
  },
  ...Object.fromEntries(
    Object.entries({
      inputPerMillionTokens: 3,
      outputPerMillionTokens: 4,
      cachedInputPerMillionTokens: 0.5,
      currency: "EUR",
    }).map(([name, value]) => [
      `provider.prices.${name}`,
      { value, read: inConfig(`provider.prices.${name}`), beside: PRICES },
    ]),
  ),
  "budget.maxTokensPerTurn": { value: 7, read: inConfig("budget.maxTokensPerTurn") },
  "budget.maxTokensPerSession": { value: 8, read: inConfig("budget.maxTokensPerSession") },
  "budget.maxTokensPerDay": { value: 9, read: inConfig("budget.maxTokensPerDay") },
  "providerSecretRef.name": { value: "other", read: apiKey, seen: "sk-other", beside: OLDER },
  "providerSecretRef.key": {
    value: "second",
    read: apiKey,
    seen: "sk-second",
    beside: { ...OLDER, "providerSecretRef.name": "model" },
  },

  "promptPackRef.name": { value: "other", read: system, seen: "Another pack." },
  "promptPackRef.namespace": { value: "shared", read: system, seen: "A shared pack." },
  "promptPackRef.prompt": { value: "sales", read: system, seen: "Sell to Ann." },
  "promptPackRef.variables": { value: { name: "Bob" }, read: system, seen: "Help Bob." },

  "toolRegistryRef.name": {
    value: "tools",
    read: inConfig("tools.0.url"),
    seen: "http://tools.example/own",
  },
  "toolRegistryRef.namespace": [
    {
      value: "shared",
      read: inConfig("tools.0.url"),
      seen: "http://tools.example/shared",
      beside: { "toolRegistryRef.name": "tools" },
    },
  ],
  "toolRegistryRef.credentials": {
    value: [{ tool: "lookup-user", secretRef: { name: "tool-token", key: "token" } }],
    read: inFile("tools.0.authFile"),
    seen: "tool-token",
    beside: { "toolRegistryRef.name": "tools", "toolRegistryRef.namespace": "shared" },
  },

  "facade.type": {
    value: "websocket",
    read: ({ service }) => service.spec.ports?.[0]?.appProtocol,
    seen: "kubernetes.io/ws",
  },
  "facade.port": [
    { value: 9000, read: inConfig("facade.port") },
    { value: 9000, read: ({ service }) => service.spec.ports?.[0]?.port },
    { value: 9000, read: inContainer("ports.0.containerPort") },
  ],
  "facade.handler": { value: "echo", read: inConfig("handler") },
  "facade.allowedOrigins": {
    value: ["https://a.example"],
    read: inConfig("facade.allowedOrigins"),
  },
  "facade.auth.jwt.issuer": {
    value: "https://other.example",
    read: inConfig("facade.auth.jwt.issuer"),
    beside: JWT,
  },
  "facade.auth.jwt.jwksUri": {
    value: "https://issuer.example/keys",
    read: inConfig("facade.auth.jwt.jwksUri"),
    beside: JWT,
  },
  "facade.auth.jwt.audiences": {
    value: ["a", "b"],
    read: inConfig("facade.auth.jwt.audiences"),
    beside: JWT,
  },
  "facade.auth.jwt.requiredClaims": {
    value: { team: "a" },
    read: inConfig("facade.auth.jwt.requiredClaims"),
    beside: JWT,
  },
  "facade.auth.apiKeysSecretRef.name": {
    value: "clients",
    read: inFile("facade.auth.apiKeysFolder", "web"),
    seen: "key-web",
  },

  "session.type": [
    { value: "memory", read: inConfig("session.type") },
    { value: "redis", read: inConfig("session.type"), beside: REDIS },
    { value: "memory", read: ({ service }) => service.spec.sessionAffinity, seen: "ClientIP" },
    {
      value: "redis",
      read: ({ service }) => service.spec.sessionAffinity,
      seen: "None",
      beside: REDIS,
    },
  ],
  "session.ttl": [
    { value: "1h30m", read: inConfig("session.ttlMs"), seen: 5_400_000 },
    { value: "6h", read: affinitySeconds, seen: 6 * 3600 },
    { value: "720h", read: affinitySeconds, seen: 24 * 3600 },
  ],
  "session.storeRef.name": {
    value: "other-redis",
    read: storeURL,
    seen: "redis://other:6379",
    beside: REDIS,
  },
  "session.storeRef.key": {
    value: "second",
    read: storeURL,
    seen: "redis://second:6379",
    beside: REDIS,
  },

  "resources.limits": { value: { memory: "1Gi" }, read: inContainer("resources.limits") },
  "resources.requests": { value: { cpu: "500m" }, read: inContainer("resources.requests") },
  "resources.claims": { value: [{ name: "gpu" }], read: inContainer("resources.claims") },
  env: {
    value: [
      { name: "PLAIN", value: "p" },
      { name: "EMPTY", value: "" },
      { name: "SECRET", valueFrom: { secretKeyRef: { name: "model", key: "second" } } },
      { name: "REGION", valueFrom: { configMapKeyRef: { name: "settings", key: "region" } } },
      { name: "NONE", valueFrom: { secretKeyRef: { name: "none", key: "a", optional: true } } },
      { name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
    ],
    read: ({ environment }) =>
      Object.fromEntries(
        Object.entries(environment).filter(([name]) => !name.startsWith("OMNIA_")),
      ),
    seen: { PLAIN: "p", EMPTY: "", SECRET: "sk-second", REGION: "north", POD: "agents" },
  },

  "autoscaling.enabled": [
    { value: true, read: ({ deployment }) => "replicas" in deployment.spec, seen: false },
    { value: false, read: ({ deployment }) => deployment.spec.replicas, seen: 1 },
  ],
  "autoscaling.minReplicas": [
    { value: 1, read: hasBudget, seen: false, beside: SCALED },
    { value: 2, read: hasBudget, seen: true, beside: SCALED },
  ],
  "autoscaling.type": { value: "keda", read: inAutoscaling("type"), beside: SCALED },
  ...Object.fromEntries(
    Object.entries({
      maxReplicas: 20,
      targetMemoryUtilizationPercentage: 71,
      targetCPUUtilizationPercentage: 91,
      scaleDownStabilizationSeconds: 301,
      "keda.pollingInterval": 31,
      "keda.cooldownPeriod": 301,
      "keda.triggers": [{ type: "cron", metadata: { start: "0 8 * * *" } }],
    }).map(([name, value]) => [
      `autoscaling.${name}`,
      { value, read: inAutoscaling(name), beside: SCALED },
    ]),
  ),

  nodeSelector: { value: { disk: "ssd" }, read: inPod("nodeSelector") },
  tolerations: {
    value: [{ key: "gpu", operator: "Exists", effect: "NoSchedule" }],
    read: inPod("tolerations"),
  },
  "affinity.nodeAffinity": { value: nodeAffinity, read: inPod("affinity.nodeAffinity") },
  "affinity.podAffinity": { value: podAffinity, read: inPod("affinity.podAffinity") },
  "affinity.podAntiAffinity": { value: podAffinity, read: inPod("affinity.podAntiAffinity") },
  image: [
    { value: "example/agent:1", read: inContainer("image") },
    { value: "example/agent:1", read: inContainer("args"), seen: undefined },
  ],
  imagePullSecrets: { value: [{ name: "registry" }], read: inPod("imagePullSecrets") },
  "podTemplate.labels": {
    value: { team: "a" },
    read: ({ deployment }) => deployment.spec.template.metadata?.labels?.["team"],
    seen: "a",
  },
  "podTemplate.annotations": {
    value: { "linkerd.io/inject": "enabled" },
    read: ({ deployment }) => deployment.spec.template.metadata?.annotations?.["linkerd.io/inject"],
    seen: "enabled",
  },
  "podTemplate.priorityClassName": { value: "first", read: inPod("priorityClassName") },
  "podTemplate.serviceAccountName": { value: "bot", read: inPod("serviceAccountName") },
  "podTemplate.terminationGracePeriodSeconds": {
    value: 300,
    read: inPod("terminationGracePeriodSeconds"),
  },
  "podTemplate.topologySpreadConstraints": {
    value: [
      {
        topologyKey: "kubernetes.io/hostname",
        maxSkew: 2,
        whenUnsatisfiable: "DoNotSchedule",
        labelSelector: { matchLabels: { app: "x" } },
      },
    ],
    read: inPod("topologySpreadConstraints.1"),
    seen: {
      topologyKey: "kubernetes.io/hostname",
      maxSkew: 2,
      whenUnsatisfiable: "DoNotSchedule",
      labelSelector: { matchLabels: { app: "x" } },
    },
  },
  "podTemplate.volumes": {
    value: [{ name: "cache", emptyDir: { sizeLimit: "1Gi" } }],
    read: inPod("volumes.2"),
    seen: { name: "cache", emptyDir: { sizeLimit: "1Gi" } },
  },
  "podTemplate.volumeMounts": {
    value: [{ name: "cache", mountPath: "/cache" }],
    read: inContainer("volumeMounts.2"),
    seen: { name: "cache", mountPath: "/cache" },
  },
  "podTemplate.sidecars": {
    value: [{ name: "proxy", image: "example/proxy:1" }],
    read: inPod("initContainers.0.restartPolicy"),
    seen: "Always",
  },
};

const folder = folderForAllTests();

describe("a field of an AgentRuntime reaches its pods", () => {
  it("whichever it is", () => {
    expect(Object.keys(FIELDS).toSorted()).toEqual(agentRuntimeFields());
  });

  const cases = Object.entries(FIELDS).flatMap(([path, fields]) =>
    [fields].flat().map((field) => [path, field.value, field] as const),
  );
  it.each(cases)("%s: %j", async (path, value, { read, beside = {}, ...field }) => {
    const made = await makeAgent(manifest({ ...beside, [path]: value }), WORLD, folder());
    expect(await read(made)).toEqual("seen" in field ? field.seen : value);
  });
});

function manifest(changes: Record<string, unknown>): string {
  const document = parseDocument(MANIFEST);
  for (const [path, value] of Object.entries(changes)) {
    const names = ["spec", ...path.split(".")];
    if (value === undefined) document.deleteIn(names);
    else document.setIn(names, document.createNode(value));
  }
  return document.toString();
}

function at(value: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((of, name) => (of as Record<string, unknown> | undefined)?.[name], value);
}

function affinitySeconds({ service }: MadeAgent): number | undefined {
  return service.spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
}

function hasBudget({ podDisruptionBudget }: MadeAgent): boolean {
  return podDisruptionBudget !== undefined;
}
