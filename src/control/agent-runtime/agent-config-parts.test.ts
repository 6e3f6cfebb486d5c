import { describe, expect, it } from "vitest";
import { agentConfigSchema, type AgentConfig } from "../../agent-config/agent-config.ts";
import {
  decided,
  packReference,
  registryReference,
  secret,
  theReferences,
  theVersion,
} from "../../../test/support/builders/a-decision.ts";
import type { AgentReferences } from "./references.ts";

const TOOLS = { toolRegistryRef: { name: "tools" } };

function configOf(
  spec: Record<string, unknown> = {},
  references: AgentReferences = {},
): AgentConfig {
  const { config } = decided({ spec, references: theReferences(references) });
  return agentConfigSchema.parse(config);
}

describe("the provider", () => {
  const provider = {
    name: "openai",
    model: "m",
    apiKeySecretRef: { name: "openai-credentials", key: "api-key" },
  };

  it.each([
    ["the Responses API of OpenAI itself", {}, "responses"],
    ["what OpenAI-like servers speak, at another URL", { baseURL: "http://vllm.example" }, "chat"],
    ["what the spec says", { baseURL: "http://vllm.example", api: "responses" }, "responses"],
    ["nothing of the kind to others", { name: "anthropic" }, undefined],
  ])("is spoken to by %s", (_what, fields, api) => {
    expect(configOf({ provider: { ...provider, ...fields } }).provider?.api).toBe(api);
  });

  it("gets its key from a file named after the key of the Secret", () => {
    const older = {
      provider: { name: "openai", model: "m" },
      providerSecretRef: { name: "openai-credentials" },
    };
    expect(configOf(older).provider?.apiKeyFile).toBe("secrets/provider/api-key");
  });

  it("has its prices, in dollars where no currency is named", () => {
    const prices = { inputPerMillionTokens: 2.5, outputPerMillionTokens: 10 };
    const { provider: found } = configOf({ provider: { ...provider, prices } });
    expect(found?.prices).toEqual({ ...prices, currency: "USD" });
  });
});

describe("the budget", () => {
  const budget = { maxTokensPerTurn: 1_000, maxTokensPerDay: 5_000_000 };

  it("is that of the spec", () => {
    expect(configOf({ budget }).budget).toEqual(budget);
    expect(configOf().budget).toBeUndefined();
  });

  it("is none for a handler that uses no tokens", () => {
    expect(configOf({ facade: { handler: "echo" }, budget }).budget).toBeUndefined();
  });
});

describe("the prompt", () => {
  it("has the skills of its pack, of two with one name the later one", () => {
    const skill = { name: "refunds", description: "How to refund", instructions: "Pay." };
    const skills = [skill, { ...skill, instructions: "Pay it back." }, "./skills/none"];
    const policy = { blocklist: ["load_skill", "other"] };
    const version = theVersion({ skills, prompts: { support: { tool_policy: policy } } });
    const { prompt } = configOf({}, { promptPack: packReference({ kept: [version] }) });
    expect(prompt?.active).toMatchObject({
      skills: [{ ...skill, instructions: "Pay it back." }],
      blockedPackTools: ["load_skill"],
    });
  });

  it("is Invalid where it is too large with the skills", () => {
    const skill = { name: "a", description: "b", instructions: "x".repeat(300_000) };
    const version = theVersion({ skills: [skill] });
    const references = theReferences({ promptPack: packReference({ kept: [version] }) });
    const { status } = decided({ references });
    expect(status.conditions?.find(({ type }) => type === "PromptPackReady")).toMatchObject({
      reason: "Invalid",
      message: expect.stringContaining("larger than 256 KiB") as string,
    });
  });

  it("is rendered for the model, with the hash and version of its pack", () => {
    const version = theVersion({
      prompts: {
        support: {
          system_template: "Hi {{name}}",
          parameters: { max_tokens: 10 },
          model_overrides: { "gpt-4": { system_template_suffix: "!" } },
        },
      },
    });
    const config = configOf(
      { promptPackRef: { name: "prompts", variables: { name: "Ann" } } },
      { promptPack: packReference({ kept: [version] }) },
    );
    expect(config.prompt).toEqual({
      active: {
        pack: "prompts",
        version: version.hash,
        semver: "1.0.0",
        prompt: "support",
        system: "Hi Ann!",
        parameters: { maxTokens: 10 },
        toolChoice: "auto",
        maxRounds: 5,
        maxToolCallsPerTurn: 10,
      },
    });
  });

  it("has a canary beside it, with tools of its own where they differ", () => {
    const toolRegistry = registryReference({ reachable: { a: true, b: true } });
    const promptPack = packReference({
      kept: [theVersion({ prompts: { support: { tools: ["a"] } } })],
      canary: theVersion({ version: "2.0.0", prompts: { support: { tools: ["b"] } } }),
    });
    const { prompt, tools } = configOf(TOOLS, { toolRegistry, promptPack });
    expect(tools.map(({ name }) => name)).toEqual(["a"]);
    expect(prompt?.canary?.weight).toBe(20);
    expect(prompt?.canary?.prompt.tools?.map(({ name }) => name)).toEqual(["b"]);
    expect(prompt?.active).not.toHaveProperty("tools");
  });

  it("has a canary with the same tools, said once", () => {
    const promptPack = packReference({
      kept: [theVersion()],
      canary: theVersion({ version: "2.0.0" }),
    });
    const { prompt } = configOf(TOOLS, { toolRegistry: registryReference(), promptPack });
    expect(prompt?.canary?.prompt).not.toHaveProperty("tools");
  });

  it("has no canary where the canary lacks it", () => {
    const canary = theVersion({
      version: "2.0.0",
      prompts: { support: { system_template: "{{x}}" } },
    });
    const promptPack = packReference({ kept: [theVersion()], canary });
    const { prompt } = configOf({}, { promptPack });
    expect(prompt?.active.semver).toBe("1.0.0");
    expect(prompt).not.toHaveProperty("canary");
  });
});

describe("the tools", () => {
  const packTool = {
    name: "lookup_user",
    description: "From the pack",
    parameters: { type: "object", properties: { id: { type: "string" } }, required: ["id"] },
  };

  function toolsOf(
    prompt: Record<string, unknown>,
    registry: Parameters<typeof registryReference>[0] = {},
    tools: Record<string, unknown> = { lookup: packTool },
  ): AgentConfig["tools"] {
    const promptPack = packReference({
      kept: [theVersion({ prompts: { support: prompt }, tools })],
    });
    return configOf(TOOLS, { promptPack, toolRegistry: registryReference(registry) }).tools;
  }
  const namesOf = (...given: Parameters<typeof toolsOf>): string[] =>
    toolsOf(...given).map(({ name }) => name);

  it("have the pack's name, description and parameters where the registry says nothing", () => {
    expect(toolsOf({})).toEqual([
      {
        name: "lookup_user",
        registryName: "lookup-user",
        type: "http",
        description: "From the pack",
        url: "http://tools.example/lookup-user",
        method: "POST",
        inputSchema: packTool.parameters,
        timeoutMs: 30_000,
        retries: 2,
        headers: {},
      },
    ]);
  });

  it("have the registry's description and parameters before the pack's", () => {
    const entry = {
      description: "From the registry",
      inputSchema: { type: "object", properties: {} },
    };
    expect(toolsOf({}, { entry })).toMatchObject([
      { name: "lookup_user", description: "From the registry", inputSchema: { properties: {} } },
    ]);
    expect(toolsOf({}, { entry }, {})).toMatchObject([{ name: "lookup-user" }]);
  });

  it("wait for an approval where the registry says so", () => {
    for (const approval of ["always", "never", { arguments: { required: ["amount"] } }]) {
      expect(toolsOf({}, { entry: { approval } })).toMatchObject([{ approval }]);
    }
  });

  it("take any arguments where nobody says which", () => {
    expect(toolsOf({}, {}, {})).toMatchObject([
      { description: "lookup-user", inputSchema: { type: "object", properties: {} } },
    ]);
  });

  it.each([["lookup_user"], ["lookup-user"], ["lookup"]])(
    "are those that the prompt lists, by any of their names: %s",
    (name) => {
      const reachable = { "lookup-user": true, other: true };
      expect(namesOf({ tools: [name] }, { reachable })).toEqual(["lookup_user"]);
      expect(namesOf({ tool_policy: { blocklist: [name] } }, { reachable })).toEqual(["other"]);
      expect(
        namesOf({ tools: [name, "other"], tool_policy: { blocklist: [name] } }, { reachable }),
      ).toEqual(["other"]);
    },
  );

  it("are all of the registry where the prompt lists none, by name, also those out of reach", () => {
    expect(namesOf({}, { reachable: { c: true, a: false, b: true } })).toEqual(["a", "b", "c"]);
    expect(namesOf({ tools: [] }, { reachable: { a: true } })).toEqual([]);
  });

  it("of a server are those that the prompt lists and the registry allows", () => {
    const server = (entry: object = {}) => ({
      reachable: { docs: true },
      entry: { type: "mcp", ...entry },
    });
    expect(
      toolsOf({ tools: ["search", "read"] }, server({ allow: ["read", "write"] })),
    ).toMatchObject([{ name: "docs", allow: ["read"] }]);
    expect(toolsOf({ tools: ["search"] }, server())).toMatchObject([{ allow: ["search"] }]);
    expect(toolsOf({ tools: ["search"] }, server({ allow: ["read"] }))).toEqual([]);
    expect(toolsOf({ tools: ["docs"] }, server({ allow: ["read"] }))).toMatchObject([
      { allow: ["read"] },
    ]);
    const blocked = toolsOf(
      { tool_policy: { blocklist: ["write"] } },
      server({ allow: ["read", "write"] }),
    );
    expect(blocked).toMatchObject([{ allow: ["read"], block: ["write"] }]);
    expect(toolsOf({ tool_policy: { blocklist: ["write"] } }, server())[0]).not.toHaveProperty(
      "allow",
    );
  });

  it("of a server may be written as models write them, and with the name of the entry", () => {
    const docs = {
      reachable: { docs: true },
      entry: { type: "mcp", allow: ["get-page", "list", "drop-all"] },
    };
    expect(toolsOf({ tools: ["get_page", "docs_list"] }, docs)).toMatchObject([
      { allow: ["get-page", "list"] },
    ]);
    expect(toolsOf({ tool_policy: { blocklist: ["docs_drop_all", "list"] } }, docs)).toMatchObject([
      { allow: ["get-page"], block: ["docs_drop_all", "list"] },
    ]);
  });

  it("of an MCP server have its transport", () => {
    const mcp = { transport: "sse" };
    const server = { reachable: { docs: true }, entry: { type: "mcp", mcp } };
    expect(toolsOf({}, server)).toMatchObject([{ name: "docs", mcp }]);
  });

  it("have their token in a file of their own; replicas start without it", () => {
    const toolRegistry = registryReference({
      entry: { authSecretRef: { name: "token", key: "t" } },
    });
    const { config, workload } = decided({
      spec: TOOLS,
      references: theReferences({ toolRegistry, toolSecrets: { token: secret("token", "t") } }),
    });
    expect(config?.tools[0]?.authFile).toBe("secrets/tools/lookup-user/t");
    expect(workload?.secretFiles).toContainEqual({
      path: "secrets/tools/lookup-user/t",
      secretName: "token",
      key: "t",
      optional: true,
    });
  });

  it("stay as they were, less what the prompt does not want, when the registry went", () => {
    const reachable = { a: true, b: true };
    const before = decided({
      spec: TOOLS,
      references: theReferences({ toolRegistry: registryReference({ reachable }) }),
    });
    const promptPack = packReference({
      kept: [theVersion({ prompts: { support: { tools: ["a"] } } })],
    });
    const after = decided({
      spec: TOOLS,
      references: theReferences({ promptPack, toolRegistry: { found: false } }),
      previous: { config: before.config },
    });
    expect(after.config?.tools.map(({ name }) => name)).toEqual(["a"]);
  });
});

describe("the workload", () => {
  const rollHash = (...given: Parameters<typeof decided>) => decided(...given).workload?.rollHash;

  it("is the same for whatever a running replica takes up by itself", () => {
    const before = rollHash({
      spec: TOOLS,
      references: theReferences({ toolRegistry: registryReference() }),
    });
    const promptPack = packReference({
      kept: [theVersion({ version: "9.0.0", prompts: { support: { tools: [] } } })],
    });
    const toolRegistry = registryReference({ reachable: { a: true, b: true } });
    const spec = {
      ...TOOLS,
      replicas: 5,
      provider: {
        name: "openai",
        model: "other",
        apiKeySecretRef: { name: "openai-credentials", key: "api-key" },
      },
      facade: { allowedOrigins: ["*"] },
      session: { ttl: "5h" },
    };
    expect(rollHash({ spec, references: theReferences({ promptPack, toolRegistry }) })).toBe(
      before,
    );
    expect(before).toMatch(/^[0-9a-f]{12}$/);
  });

  it("is another for what needs new replicas", () => {
    const before = rollHash();
    for (const spec of [
      { env: [{ name: "A", value: "b" }] },
      { facade: { port: 9000 } },
      { image: "x" },
    ]) {
      expect(rollHash({ spec })).not.toBe(before);
    }
  });

  it("leaves the number of replicas alone while an autoscaler owns it", () => {
    const { workload, status } = decided({
      spec: { replicas: 4, autoscaling: { enabled: true, maxReplicas: 8 } },
      observed: { replicas: 6, readyReplicas: 5, availableReplicas: 5 },
    });
    expect(workload?.replicas).toBeUndefined();
    expect(workload?.autoscaling).toMatchObject({ enabled: true, maxReplicas: 8 });
    expect(status.ready).toBe("5/6");
    const off = decided({ spec: { replicas: 4, autoscaling: { maxReplicas: 8 } } }).workload;
    expect(off).toMatchObject({ replicas: 4 });
    expect(off).not.toHaveProperty("autoscaling");
  });

  it("tells the agent who it is, before what the user adds", () => {
    const env = [{ name: "LOG_LEVEL", value: "debug" }];
    expect(decided({ spec: { env } }).workload?.environment).toEqual([
      { name: "OMNIA_AGENT_NAME", value: "support" },
      { name: "OMNIA_NAMESPACE", value: "agents" },
      { name: "OMNIA_CONFIG", value: "/etc/omnia/agent.json" },
      ...env,
    ]);
  });

  it("tells a custom image by variables what it cannot read in our config", () => {
    const spec = {
      image: "example/agent:1",
      session: { type: "redis", ttl: "90m", storeRef: { name: "redis-credentials", key: "url" } },
    };
    const references = theReferences({ sessionStoreSecret: secret("redis-credentials", "url") });
    expect(decided({ spec, references }).workload?.environment.slice(3)).toEqual([
      { name: "OMNIA_PROVIDER_NAME", value: "openai" },
      { name: "OMNIA_PROVIDER_MODEL", value: "gpt-4" },
      { name: "OMNIA_PROVIDER_API_KEY_FILE", value: "/etc/omnia/secrets/provider/api-key" },
      { name: "OMNIA_SESSION_TYPE", value: "redis" },
      { name: "OMNIA_SESSION_TTL", value: "1h30m" },
      { name: "OMNIA_SESSION_STORE_URL_FILE", value: "/etc/omnia/secrets/session-store/url" },
    ]);
  });

  it("tells a runtime of others what a custom image is told, beside the variables that name it", () => {
    const env = [{ name: "OMNIA_RUNTIME_COMMAND", value: "python app.py" }];
    const provider = {
      name: "openai",
      model: "gpt-4",
      baseURL: "http://models.example/v1",
      apiKeySecretRef: { name: "openai-credentials", key: "api-key" },
    };
    expect(decided({ spec: { env, provider } }).workload?.environment.slice(3)).toEqual([
      { name: "OMNIA_PROVIDER_NAME", value: "openai" },
      { name: "OMNIA_PROVIDER_MODEL", value: "gpt-4" },
      { name: "OMNIA_PROVIDER_BASE_URL", value: "http://models.example/v1" },
      { name: "OMNIA_PROVIDER_API_KEY_FILE", value: "/etc/omnia/secrets/provider/api-key" },
      { name: "OMNIA_SESSION_TYPE", value: "memory" },
      { name: "OMNIA_SESSION_TTL", value: "1h" },
      ...env,
    ]);
  });

  it("has no provider where a runtime brings its own model", () => {
    const env = [{ name: "OMNIA_RUNTIME_COMMAND", value: "python app.py" }];
    const before = decided();
    const previous = { config: before.config, secretFiles: before.workload?.secretFiles };
    const references = theReferences({ providerSecret: undefined });
    const after = decided({ spec: { env, provider: undefined }, references, previous });
    expect(after.config).not.toHaveProperty("provider");
    expect(after.config?.prompt?.active.prompt).toBe("support");
    expect(after.workload?.secretFiles).toEqual([]);
    expect(after.status.conditions).toContainEqual(
      expect.objectContaining({
        type: "ProviderReady",
        status: "True",
        reason: "NotNeeded",
        message: "The runtime brings its own model",
      }),
    );
  });

  it("has a folder with the key of every client", () => {
    const spec = { facade: { auth: { apiKeysSecretRef: { name: "clients" } } } };
    const references = theReferences({ apiKeysSecret: secret("clients", "ann", "bob") });
    expect(decided({ spec, references }).workload?.secretFiles).toEqual([
      { path: "secrets/api-keys", secretName: "clients" },
      { path: "secrets/provider/api-key", secretName: "openai-credentials", key: "api-key" },
    ]);
  });
});
