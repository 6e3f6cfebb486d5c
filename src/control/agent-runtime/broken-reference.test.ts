import { describe, expect, it } from "vitest";
import {
  decided,
  observed,
  packReference,
  registryReference,
  secret,
  theReferences,
} from "../../../test/support/builders/a-decision.ts";
import { REDIS, REDIS_SECRET, TOOLS } from "../../../test/support/decisions/decision-case.ts";
import type { AgentReferences } from "./references.ts";

describe("a reference that breaks later", () => {
  const spec = { ...REDIS, ...TOOLS };
  const good = theReferences({
    toolRegistry: registryReference(),
    sessionStoreSecret: REDIS_SECRET,
  });
  const before = decided({ spec, references: good });
  const previous = {
    config: before.config,
    secretFiles: before.workload?.secretFiles ?? [],
  };

  it.each([
    ["a pack that went", { promptPack: { found: false } }, "PromptPackReady"],
    [
      "a pack without valid version",
      { promptPack: packReference({ source: "{" }) },
      "PromptPackReady",
    ],
    ["a registry that went", { toolRegistry: { found: false } }, "ToolRegistryReady"],
    ["a Secret that went", { providerSecret: { found: false } }, "ProviderReady"],
    ["a key that went", { providerSecret: secret("openai-credentials") }, "ProviderReady"],
    ["a store's Secret that went", { sessionStoreSecret: { found: false } }, "SessionStoreReady"],
    [
      "a store's URL that broke",
      { sessionStoreSecret: { ...REDIS_SECRET, urlProblem: "x" } },
      "SessionStoreReady",
    ],
  ] as [string, AgentReferences, string][])(
    "changes nothing but its condition: %s",
    (_what, broken, type) => {
      const after = decided({
        spec,
        references: { ...good, ...broken },
        previous,
        observed: observed(1, 1),
      });
      expect(after.config).toEqual(before.config);
      expect(after.workload).toEqual(before.workload);
      expect(after.status.phase).toBe("Running");
      const notTrue = after.status.conditions?.filter(({ status }) => status !== "True");
      expect(notTrue?.map((condition) => condition.type)).toEqual([type, "Ready"]);
      expect(notTrue?.[1]).toMatchObject({ reason: notTrue?.[0]?.reason });
    },
  );

  it.each([
    [
      "a pack, without which replicas start as before",
      { promptPack: { found: false } },
      "WaitingForPods",
    ],
    [
      "a Secret, without which none becomes ready",
      { providerSecret: { found: false } },
      "WaitingForReferences",
    ],
  ] as [string, AgentReferences, string][])(
    "is what replicas wait for only where they do: %s",
    (_what, broken, reason) => {
      const references = { ...good, ...broken };
      const after = decided({ spec, references, previous, observed: observed(1, 0) });
      expect(after.workload).toEqual(before.workload);
      expect(after.status).toMatchObject({ phase: "Pending" });
      expect(after.status.conditions?.[0]).toMatchObject({ type: "Available", reason });
    },
  );

  it("never sends the key of one provider to another", () => {
    const anthropic = {
      ...spec,
      provider: {
        name: "anthropic",
        model: "claude",
        apiKeySecretRef: { name: "other", key: "key" },
      },
    };
    const references = { ...good, providerSecret: { found: false } as const };
    const after = decided({ spec: anthropic, references, previous });
    expect(after.config?.provider).toEqual(before.config?.provider);
    expect(after.workload?.secretFiles).toEqual(before.workload?.secretFiles);
  });

  it("lets other changes of the spec through", () => {
    const references = { ...good, promptPack: { found: false } as const };
    const after = decided({
      spec: { ...spec, replicas: 5, facade: { port: 9000 } },
      references,
      previous,
    });
    expect(after.workload).toMatchObject({ replicas: 5, port: 9000 });
    expect(after.config?.facade.port).toBe(9000);
    expect(after.config?.prompt).toEqual(before.config?.prompt);
  });

  it("keeps a demo running that was to become a real agent", () => {
    const demo = decided({ spec: { facade: { handler: "demo" } }, references: {} });
    const after = decided({
      references: {},
      previous: { config: demo.config },
      observed: observed(1, 1),
    });
    expect(after.config).toEqual(demo.config);
    expect(after.status.phase).toBe("Running");
  });

  it("lets nobody in when the Secret of the API keys goes", () => {
    const withAuth = { ...spec, facade: { auth: { apiKeysSecretRef: { name: "clients" } } } };
    const after = decided({ spec: withAuth, references: good, previous });
    expect(after.config?.facade.auth).toEqual({
      apiKeysFolder: "secrets/api-keys",
      apiKeysSecret: "clients",
    });
  });
});
