/** Every reason that a manifest can bring about on one machine, in one `omnia up`. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { aPack, aPrompt } from "../../support/builders/a-pack.ts";
import { startHttpServer } from "../../support/processes/http-server.ts";
import { omnia, startOmnia } from "../../support/processes/omnia-process.ts";
import { folderForAllTests, forAllTests } from "../../support/builders/fixtures.ts";

interface Condition {
  type: string;
  status: string;
  reason: string;
  message: string;
}
interface Resource {
  kind: string;
  metadata: { name: string };
  status: { phase: string; conditions: Condition[] };
}

const manifest = (apiVersion: string, kind: string, name: string, rest: object): string =>
  JSON.stringify({ apiVersion, kind, metadata: { name }, ...rest });
const ours = (kind: string, name: string, spec: object): string =>
  manifest("omnia.altairalabs.ai/v1alpha1", kind, name, { spec });
const core = (kind: string, name: string, rest: object): string => manifest("v1", kind, name, rest);

/** Complete, but for what `overrides` says; a field that is `undefined` is left out. */
const agent = (name: string, overrides: object = {}): string =>
  ours("AgentRuntime", name, {
    provider: { name: "openai", model: "m", apiKeySecretRef: { name: "llm", key: "api-key" } },
    promptPackRef: { name: "good" },
    ...overrides,
  });
const provider = (overrides: object): object => ({
  provider: {
    name: "openai",
    model: "m",
    apiKeySecretRef: { name: "llm", key: "api-key" },
    ...overrides,
  },
});
const session = (name: string, key = "url"): object => ({
  session: { type: "redis", storeRef: { name, key } },
});
const pack = (name: string, content: unknown, key = "promptpack.json"): string[] => [
  ours("PromptPack", name, { source: { configMapRef: { name } } }),
  core("ConfigMap", name, {
    data: { [key]: typeof content === "string" ? content : JSON.stringify(content) },
  }),
];
const registry = (name: string, ...tools: object[]): string =>
  ours("ToolRegistry", name, { tools });
const service = (name: string, annotations: Record<string, string>): string =>
  core("Service", name, {
    metadata: { name, labels: { "omnia.altairalabs.ai/tool": "true", offers: name }, annotations },
    spec: { ports: [{ name: "http", port: 80 }] },
  });
const selecting = (name: string): object => ({ name, selector: { matchLabels: { offers: name } } });

const required = { name: "who", type: "string", required: true };

const env = (): Record<string, string> => ({
  HOME: folder(),
  ANTHROPIC_API_KEY: "from-environment",
});

const folder = folderForAllTests();
const tool = forAllTests(
  () => startHttpServer((_request, response) => void response.end("{}")),
  (tool) => tool.close(),
);
/** A server that is there no more. */
const gone = forAllTests(async () => {
  const server = await startHttpServer(() => {});
  await server.close();
  return server;
});
beforeAll(async () => {
  const live = { "omnia.altairalabs.ai/local-url": tool().url };
  const dead = { "omnia.altairalabs.ai/local-url": gone().url };
  const manifests = [
    core("Secret", "llm", {
      stringData: { "api-key": "k", empty: "", "two-lines": "k-1\nk-2", "line-end": "k\n" },
    }),
    core("Secret", "store", {
      stringData: { url: "redis://127.0.0.1:1", web: "http://host", empty: "<url>" },
    }),
    ...pack("good", aPack()),
    ...pack("unused", aPack()),
    ...pack("no-key", aPack(), "other.json"),
    ...pack("no-json", '{"id": '),
    ...pack("no-pack", { id: "x" }),
    ...pack("too-large", "x".repeat(1_000_001)),
    ours("PromptPack", "no-config-map", { source: { configMapRef: { name: "none" } } }),
    ...pack(
      "two-prompts",
      aPack({ prompts: { a: aPrompt({ id: "a" }), b: aPrompt({ id: "b" }) } }),
    ),
    ...pack(
      "wants-tools",
      aPack({ prompts: { a: aPrompt({ id: "a", tools: ["inline", "refund"] }) } }),
    ),
    ...pack(
      "wants-variable",
      aPack({
        prompts: { a: aPrompt({ id: "a", system_template: "Hi {{who}}", variables: [required] }) },
      }),
    ),

    agent("runs"),
    agent(
      "from-environment",
      provider({ name: "anthropic", apiKeySecretRef: { name: "none", key: "k" } }),
    ),
    agent("demo", { facade: { handler: "demo" }, provider: undefined, promptPackRef: undefined }),
    agent("no-secret", provider({ apiKeySecretRef: { name: "none", key: "k" } })),
    agent("no-secret-key", provider({ apiKeySecretRef: { name: "llm", key: "none" } })),
    agent("empty-secret-key", provider({ apiKeySecretRef: { name: "llm", key: "empty" } })),
    agent("two-lines", provider({ apiKeySecretRef: { name: "llm", key: "two-lines" } })),
    agent("line-end", provider({ apiKeySecretRef: { name: "llm", key: "line-end" } })),
    agent("no-pack", { promptPackRef: { name: "none" } }),
    agent("bad-pack", { promptPackRef: { name: "no-json" } }),
    agent("no-prompt", { promptPackRef: { name: "two-prompts" } }),
    agent("no-variables", { promptPackRef: { name: "wants-variable" } }),
    agent("wants-tools", { promptPackRef: { name: "wants-tools" } }),
    agent("misses-a-tool", {
      promptPackRef: { name: "wants-tools" },
      toolRegistryRef: { name: "all" },
    }),
    agent("no-registry", { toolRegistryRef: { name: "none" } }),
    agent("some-tools", { toolRegistryRef: { name: "some" } }),
    agent("dead-tools", { toolRegistryRef: { name: "refuses" } }),
    agent("no-store", session("none")),
    agent("no-store-key", session("store", "none")),
    agent("placeholder-store", session("store", "empty")),
    agent("wrong-store", session("store", "web")),
    agent("store-is-down", session("store")),
    agent("zero", { replicas: 0 }),
    agent("no-variable", {
      env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "none", key: "a" } } }],
    }),

    registry("all", { name: "inline", url: tool().url }, selecting("live")),
    registry("some", { name: "inline", url: tool().url }, { name: "dead", url: gone().url }),
    registry("refuses", { name: "dead", url: gone().url }),
    registry("nobody", selecting("nobody")),
    registry("no-endpoint", selecting("dead")),
    registry("nowhere", selecting("nowhere")),
    registry("bad-schema", selecting("bad-schema")),
    service("live", live),
    service("dead", dead),
    service("nowhere", {}),
    service("bad-schema", { ...live, "omnia.altairalabs.ai/tool-schema": "{" }),
  ];
  await writeFile(join(folder(), "all.yaml"), manifests.join("\n---\n"));
});
const up = forAllTests(
  () => startOmnia(["up", "--port", "0", "-f", join(folder(), "all.yaml")], { env: env() }),
  (up) => up[Symbol.asyncDispose](),
);
const url = forAllTests(async () => (await up().shows(/Serving at (\S+)/))[1] ?? "");
beforeAll(async () => {
  for (const name of ["runs", "from-environment", "demo", "some-tools"]) {
    await vi.waitFor(async () => {
      if ((await find("AgentRuntime", name))?.status.phase !== "Running")
        throw new Error(`${name} does not run`);
    }, 60_000);
  }
});

async function find(kind: string, name: string): Promise<Resource | undefined> {
  const response = await fetch(`${url()}/api/v1alpha1/resources`);
  const { items } = (await response.json()) as { items: Resource[] };
  return items.find((item) => item.kind === kind && item.metadata.name === name);
}

async function condition(kind: string, name: string, type: string): Promise<Condition | undefined> {
  return (await find(kind, name))?.status.conditions.find((each) => each.type === type);
}

describe("an omnia up with every reason in it", () => {
  it("refuses nothing of the files", () => {
    expect(up().out).not.toContain("all.yaml:");
  });

  it.each([
    ["runs", "Available", "ReplicasAvailable"],
    ["runs", "PromptPackReady", "Resolved"],
    ["runs", "ProviderReady", "Resolved"],
    ["runs", "ToolRegistryReady", "NotReferenced"],
    ["wants-tools", "ToolRegistryReady", "ToolsMissing"],
    ["misses-a-tool", "ToolRegistryReady", "ToolsMissing"],
    ["runs", "SessionStoreReady", "NotNeeded"],
    ["demo", "PromptPackReady", "NotReferenced"],
    ["demo", "ProviderReady", "NotNeeded"],
    ["no-secret", "ProviderReady", "SecretNotFound"],
    ["no-secret", "Available", "WaitingForReferences"],
    ["no-secret-key", "ProviderReady", "SecretKeyMissing"],
    ["empty-secret-key", "ProviderReady", "SecretKeyMissing"],
    ["two-lines", "ProviderReady", "InvalidKey"],
    ["line-end", "ProviderReady", "Resolved"],
    ["no-pack", "PromptPackReady", "NotFound"],
    ["bad-pack", "PromptPackReady", "Invalid"],
    ["no-prompt", "PromptPackReady", "PromptNotFound"],
    ["no-variables", "PromptPackReady", "VariablesMissing"],
    ["no-registry", "ToolRegistryReady", "NotFound"],
    ["some-tools", "ToolRegistryReady", "Degraded"],
    ["dead-tools", "ToolRegistryReady", "Failed"],
    ["no-store", "SessionStoreReady", "SecretNotFound"],
    ["no-store-key", "SessionStoreReady", "SecretKeyMissing"],
    ["placeholder-store", "SessionStoreReady", "SecretKeyMissing"],
    ["wrong-store", "SessionStoreReady", "InvalidURL"],
    ["zero", "Available", "ScaledToZero"],
    ["no-variable", "Available", "PodsFailing"],
    ["store-is-down", "Available", "WaitingForPods"],
    ["runs", "Progressing", "Complete"],
    ["runs", "Ready", "AsWanted"],
    ["no-pack", "Progressing", "WaitingForReferences"],
    ["no-pack", "Ready", "NotFound"],
    ["no-secret", "Ready", "SecretNotFound"],
    ["some-tools", "Ready", "Degraded"],
    ["zero", "Ready", "ScaledToZero"],
    ["no-variable", "Progressing", "RolloutStuck"],
    ["no-variable", "Ready", "PodsFailing"],
  ])("gives AgentRuntime %s the condition %s with reason %s", async (name, type, reason) => {
    expect(await condition("AgentRuntime", name, type)).toMatchObject({ reason });
  });

  it.each([
    ["good", "SourceValid", "Valid"],
    ["no-config-map", "SourceValid", "ConfigMapNotFound"],
    ["no-key", "SourceValid", "KeyNotFound"],
    ["no-json", "SourceValid", "InvalidJSON"],
    ["no-pack", "SourceValid", "InvalidPack"],
    ["too-large", "SourceValid", "TooLarge"],
    ["unused", "AgentsNotified", "NoAgents"],
  ])("gives PromptPack %s the condition %s with reason %s", async (name, type, reason) => {
    expect(await condition("PromptPack", name, type)).toMatchObject({ reason });
  });

  it.each([
    ["all", "ToolsAvailable", "ToolsFound"],
    ["all", "AllToolsReady", "AllReady"],
    ["some", "ToolsAvailable", "ToolsFound"],
    ["some", "AllToolsReady", "Unreachable"],
    ["refuses", "ToolsAvailable", "Unreachable"],
    ["nobody", "ToolsAvailable", "NoServices"],
    ["no-endpoint", "ToolsAvailable", "NoReadyEndpoints"],
    ["nowhere", "ToolsAvailable", "NoReadyEndpoints"],
    ["bad-schema", "ToolsAvailable", "InvalidTool"],
  ])("gives ToolRegistry %s the condition %s with reason %s", async (name, type, reason) => {
    expect(await condition("ToolRegistry", name, type)).toMatchObject({ reason });
  });

  it("says where a value comes from, and which variable would give one", async () => {
    expect(
      (await condition("AgentRuntime", "from-environment", "ProviderReady"))?.message,
    ).toContain("ANTHROPIC_API_KEY");
    expect((await condition("AgentRuntime", "no-secret", "ProviderReady"))?.message).toContain(
      "OPENAI_API_KEY",
    );
    expect((await condition("AgentRuntime", "no-store", "SessionStoreReady"))?.message).toContain(
      "REDIS_URL",
    );
    expect((await condition("ToolRegistry", "nowhere", "ToolsAvailable"))?.message).toContain(
      "local-url",
    );
  });

  it("hears from a replica that its store is down", async () => {
    await vi.waitFor(async () => {
      for (const type of ["SessionStoreReady", "Ready"]) {
        expect(await condition("AgentRuntime", "store-is-down", type)).toMatchObject({
          status: "False",
          reason: "Unreachable",
          message: expect.stringContaining("the session store does not answer"),
        });
      }
    });
    const { out } = await omnia(["explain", "store-is-down"], { env: env() });
    expect(out).toContain("SessionStoreReady is False, Unreachable");
    expect(out).toContain("Start the session store");
  });

  it("says in the log why a replica does not become ready, in its own words", async () => {
    await up().shows(
      /AgentRuntime default\/store-is-down: replica 1: not ready: the session store does not answer/,
    );
  });

  it("shows no value of a Secret anywhere", async () => {
    const everything = [
      up().out,
      await (await fetch(`${url()}/api/v1alpha1/resources`)).text(),
    ].join("\n");
    expect(everything).not.toContain('from-environment"}');
    expect(everything).not.toContain("redis://127.0.0.1:1");
  });

  it("is found by omnia status and omnia explain", async () => {
    const [status, explained] = await Promise.all([
      omnia(["status"], { env: env() }),
      omnia(["explain", "no-secret"], { env: env() }),
    ]);
    expect(status.out).toMatch(/runs\s+Running/);
    expect(explained.out).toContain("OPENAI_API_KEY");
  });
});
