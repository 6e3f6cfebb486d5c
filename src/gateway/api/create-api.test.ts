import { describe, expect, it } from "vitest";
import {
  anAgentRuntime,
  aPromptPack,
  aToolRegistry,
} from "../../../test/support/builders/resources.ts";
import { anApi, callersWho } from "../../../test/support/builders/an-api.ts";
import { aResourceSource } from "../../../test/support/builders/a-resource-source.ts";
import type { AgentRuntimeStatus } from "../../api/agent-runtime.ts";
import type { Route } from "../choose-replica.ts";

const condition = (type: string, status: "True" | "False", reason: string, message = "Why") => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: "2026-03-01T12:00:00Z",
});
const WELL: AgentRuntimeStatus = {
  phase: "Running",
  ready: "1/1",
  conditions: [condition("Ready", "True", "AsWanted")],
};
const BROKEN: AgentRuntimeStatus = {
  phase: "Pending",
  ready: "0/2",
  conditions: [
    condition("Available", "False", "WaitingForReferences"),
    condition("ProviderReady", "False", "SecretNotFound", 'Secret "openai" is not there'),
    condition("Ready", "False", "SecretNotFound"),
  ],
};

describe("GET /me", () => {
  it("says of one machine that everybody may see everything there", async () => {
    const source = aResourceSource([
      anAgentRuntime({ metadata: { namespace: "b" } }),
      anAgentRuntime({ metadata: { namespace: "a" } }),
    ]);
    expect(await anApi({ source }).json("/me")).toEqual({
      status: 200,
      body: { mode: "local", namespaces: ["a", "b"], version: "1.2.3" },
    });
  });

  it("says of a cluster who the caller is, until when, and where it may look", async () => {
    const source = aResourceSource([
      anAgentRuntime({ metadata: { namespace: "open" } }),
      anAgentRuntime({ metadata: { namespace: "closed" } }),
    ]);
    const callers = callersWho(({ namespace }) => namespace === "open");
    const { json } = anApi({ source, callers });
    expect(await json("/me", { authorization: "Bearer x" })).toEqual({
      status: 200,
      body: {
        subject: "jane",
        mode: "cluster",
        namespaces: ["open"],
        expiresAt: "2036-03-01T13:00:00.000Z",
        version: "1.2.3",
      },
    });
    expect(await json("/me")).toEqual({
      status: 401,
      body: { error: { code: "Unauthorized", message: "say who you are" } },
    });
  });
});

describe("GET /agents", () => {
  const names = async (path: string, api: ReturnType<typeof anApi>): Promise<string[]> => {
    const { body } = await api.json(path);
    return (body as { items: { namespace: string; name: string }[] }).items.map(
      ({ namespace, name }) => `${namespace}/${name}`,
    );
  };
  const four = () =>
    aResourceSource([
      anAgentRuntime({ metadata: { name: "zeta" }, status: BROKEN }),
      anAgentRuntime({ metadata: { name: "beta" }, status: WELL }),
      anAgentRuntime({
        metadata: { name: "gamma" },
        spec: { promptPackRef: { name: "trial" } },
        status: WELL,
      }),
      anAgentRuntime({ metadata: { name: "alpha", namespace: "other" }, status: WELL }),
      aPromptPack({
        metadata: { name: "trial" },
        status: { phase: "Canary", canaryVersion: "0123456789ab", canaryWeight: 10 },
      }),
    ]);

  it("lists those first that are not ready, then those with a canary, then by name", async () => {
    expect(await names("/agents", anApi({ source: four() }))).toEqual([
      "agents/zeta",
      "agents/gamma",
      "agents/beta",
      "other/alpha",
    ]);
  });

  it.each([
    ["?namespace=other", ["other/alpha"]],
    ["?namespace=nowhere", []],
    ["?q=ETA", ["agents/zeta", "agents/beta"]],
    ["?q=gpt-4&phase=Running", ["agents/gamma", "agents/beta", "other/alpha"]],
    ["?q=trial", ["agents/gamma"]],
    ["?phase=Pending", ["agents/zeta"]],
  ])("filters by namespace, text and phase: %s", async (query, found) => {
    expect(await names(`/agents${query}`, anApi({ source: four() }))).toEqual(found);
  });

  it("comes in parts, which hold each agent once while others come and go", async () => {
    const source = four();
    const { json } = anApi({ source });
    const first = await json("/agents?limit=2");
    const { next } = first.body as { next: string };
    source.remove({ kind: "AgentRuntime", namespace: "agents", name: "gamma" });
    source.put(anAgentRuntime({ metadata: { name: "aaa" }, status: BROKEN }));
    const second = (await json(`/agents?limit=2&after=${next}`)).body as {
      items: { name: string }[];
      next?: string;
    };
    expect(second.items.map(({ name }) => name)).toEqual(["beta", "alpha"]);
    expect(second.next).toBeUndefined();
  });

  it.each([
    ["?limit=0", "limit"],
    ["?limit=x", "limit"],
    ["?after=no-cursor", "after"],
    [`?after=${"x".repeat(3_000)}`, "after"],
    [`?q=${"x".repeat(300)}`, "q"],
    ["?namespace=..%2Fetc", "namespace"],
    ["?namespace=%FF", "namespace"],
  ])("refuses what it cannot understand: %s", async (query, field) => {
    const { status, body } = await anApi({ source: four() }).json(`/agents${query}`);
    expect([status, body]).toEqual([
      400,
      { error: expect.objectContaining({ code: "InvalidRequest" }) },
    ]);
    expect(JSON.stringify(body)).toContain(`"message":"${field}`);
  });

  it("gives what a caller needs to connect, and what it may do there", async () => {
    const source = aResourceSource([anAgentRuntime({ status: WELL })]);
    const callers = callersWho(
      ({ verb, subresource }) => verb !== "delete" && subresource !== "toolcalls",
    );
    const endpoints = [{ id: "1", host: "h", port: 1 }];
    const route: Route = { status: "ready", endpoints, affinity: "none", allowedOrigins: [] };
    const { json } = anApi({ source, callers, route });
    const headers = { authorization: "Bearer x", "x-forwarded-proto": "https" };
    const { body } = await json("/agents", headers);
    expect(body).toMatchObject({
      items: [
        {
          wsUrl: "wss://gateway.example/ws?agent=support&namespace=agents",
          connections: 2,
          can: { chat: true, sessions: true, deleteSession: false, callTool: false },
        },
      ],
    });
  });
});

describe("GET /agents/NAMESPACE/NAME", () => {
  it("explains why an agent is not ready, its root cause first", async () => {
    const source = aResourceSource([anAgentRuntime({ status: BROKEN })]);
    const { body } = await anApi({ source }).json("/agents/agents/support");
    expect(body).toMatchObject({
      ready: 0,
      wanted: 2,
      explain: {
        cause: 'Secret "openai" is not there',
        cure: expect.stringContaining("Make the Secret"),
        docs: "reference/conditions/agentruntime/providerready/secretnotfound/",
      },
      conditions: [{ type: "ProviderReady" }, { type: "Available" }, { type: "Ready" }],
    });
  });

  it("gives the manifest without a status and what only machines write", async () => {
    const source = aResourceSource([
      anAgentRuntime({
        metadata: {
          resourceVersion: "1",
          managedFields: [{}],
          labels: { team: "a" },
          annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{}" },
        },
        spec: { facade: { handler: "echo" }, provider: undefined, promptPackRef: undefined },
        status: WELL,
      }),
    ]);
    const { body } = await anApi({ source }).json("/agents/agents/support");
    const { manifest } = body as { manifest: string };
    expect(manifest).toContain("    team: a\nspec:\n");
    expect(manifest).not.toMatch(/status|managedFields|resourceVersion|annotations|generation/);
  });

  it("tells nothing apart of what is not there and of what the caller may not see", async () => {
    const source = aResourceSource([anAgentRuntime()]);
    const callers = callersWho(() => false);
    const { json } = anApi({ source, callers });
    const authorization = "Bearer x";
    const there = await json("/agents/agents/support", { authorization });
    const nowhere = await json("/agents/agents/nobody", { authorization });
    expect(there.status).toBe(404);
    expect(JSON.stringify(there).replace("support", "nobody")).toBe(JSON.stringify(nowhere));
    expect((await json("/agents", { authorization })).body).toEqual({ items: [] });
    expect((await json("/resources", { authorization })).body).toEqual({ items: [] });
  });
});

describe("GET /packs", () => {
  const source = () =>
    aResourceSource(
      [
        aPromptPack({
          status: {
            phase: "Canary",
            activeVersion: "aaaaaaaaaaaa",
            activeSemver: "1.0.0",
            canaryVersion: "bbbbbbbbbbbb",
            canarySemver: "2.0.0",
            canaryWeight: 20,
            canaryCounts: {
              sessions: 3,
              turns: 4,
              errors: 1,
              validationFailures: 2,
              evals: 0,
              evalPoints: 0,
              firstChunk: [4],
            },
            activeCounts: {
              sessions: 9,
              turns: 12,
              errors: 0,
              validationFailures: 0,
              evals: 0,
              evalPoints: 0,
              firstChunk: [12],
            },
            conditions: [condition("SourceValid", "True", "Valid")],
          },
        }),
        anAgentRuntime({ status: { ...WELL, promptPackVersion: "aaaaaaaaaaaa" } }),
      ],
      {
        packVersions: async () => [
          { hash: "bbbbbbbbbbbb", semver: "2.0.0", keptAt: Date.parse("2026-03-01T12:00:00Z") },
          { hash: "aaaaaaaaaaaa", semver: "1.0.0" },
          { hash: "cccccccccccc", semver: "0.9.0" },
        ],
        packDocument: async (_, hash) =>
          hash === "bbbbbbbbbbbb" ? { version: "2.0.0" } : undefined,
      },
    );

  it("shows a canary with its weight and what the agents counted", async () => {
    const { body } = await anApi({ source: source() }).json("/packs");
    expect(body).toMatchObject({
      items: [
        {
          activeSemver: "1.0.0",
          canary: {
            semver: "2.0.0",
            weight: 20,
            counts: {
              sessions: 3,
              turns: 4,
              failures: 1,
              validationFailures: 2,
              p50FirstChunkMs: 5,
            },
            activeCounts: { sessions: 9, turns: 12, failures: 0 },
          },
        },
      ],
    });
  });

  it("names the agents that run each version that is kept", async () => {
    const { body } = await anApi({ source: source() }).json("/packs/agents/prompts");
    expect(body).toMatchObject({
      versions: [
        {
          hash: "bbbbbbbbbbbb",
          state: "canary",
          agents: ["agents/support"],
          keptAt: "2026-03-01T12:00:00.000Z",
        },
        { hash: "aaaaaaaaaaaa", state: "active", agents: ["agents/support"] },
        { hash: "cccccccccccc", state: "kept", agents: [] },
      ],
    });
  });

  it("gives the document of a version, which never changes", async () => {
    const { request, json } = anApi({ source: source() });
    const path = "/packs/agents/prompts/versions/bbbbbbbbbbbb";
    expect((await json(path)).body).toEqual({
      hash: "bbbbbbbbbbbb",
      version: "2.0.0",
      document: { version: "2.0.0" },
    });
    const again = await request(path, { headers: { "if-none-match": '"bbbbbbbbbbbb"' } });
    expect([again.status, await again.text()]).toEqual([304, ""]);
    expect((await json("/packs/agents/prompts/versions/dddddddddddd")).status).toBe(404);
    expect((await json("/packs/agents/prompts/versions/..")).status).toBe(404);
    expect((await json("/packs/agents/prompts/versions/x")).status).toBe(400);
  });
});

describe("GET /toolregistries", () => {
  it("shows each tool with its schema, why it is not available, and who uses it", async () => {
    const source = aResourceSource(
      [
        aToolRegistry({
          spec: {
            tools: [
              { name: "delete-user", url: "http://tools.example/", method: "DELETE" },
              { name: "server", type: "mcp", url: "http://mcp.example/", approval: "always" },
            ],
          },
          status: {
            phase: "Degraded",
            discoveredTools: 2,
            availableTools: 1,
            tools: [
              {
                name: "delete-user",
                type: "http",
                endpoint: "http://tools.example/",
                available: true,
              },
              { name: "search", server: "server", available: false, reason: "Unreachable" },
            ],
          },
        }),
        anAgentRuntime({ spec: { toolRegistryRef: { name: "tools" } } }),
      ],
      {
        tools: () => [
          {
            name: "search",
            server: "server",
            description: "Finds",
            inputSchema: { type: "object", required: ["q"] },
          },
        ],
      },
    );
    const { body } = await anApi({ source }).json("/toolregistries/agents/tools");
    expect(body).toMatchObject({
      phase: "Degraded",
      tools: [
        { name: "delete-user", available: true, destructive: true, agents: ["agents/support"] },
        {
          name: "search",
          server: "server",
          type: "mcp",
          description: "Finds",
          inputSchema: { required: ["q"] },
          available: false,
          reason: "Unreachable",
          destructive: true,
          approval: "always",
        },
      ],
    });
  });
});

describe("a tool that a server lists", () => {
  it("is said to be described by its server where nothing else is known of it", async () => {
    const source = aResourceSource([
      aToolRegistry({
        spec: {
          tools: [
            { name: "mine", url: "http://tools.example/", description: "Mine" },
            { name: "server", type: "mcp", url: "http://mcp.example/", description: "Of all" },
          ],
        },
        status: {
          tools: [
            { name: "mine", type: "http", available: true },
            { name: "search", server: "server", type: "mcp", available: true },
          ],
        },
      }),
    ]);
    const { body } = await anApi({ source }).json("/toolregistries/agents/tools");
    const [mine, search] = (body as { tools: Record<string, unknown>[] }).tools;
    expect(mine).toMatchObject({ description: "Mine" });
    expect(mine).not.toHaveProperty("isDescribedByServer");
    expect(search).toMatchObject({ description: "", isDescribedByServer: true });
  });
});

describe("requests to the API", () => {
  it.each([
    ["POST", "/agents", "GET, HEAD"],
    ["PUT", "/agents/agents/support", "GET, HEAD"],
    ["OPTIONS", "/watch", "GET, HEAD"],
    ["TRACE", "/agents", "GET, HEAD"],
    ["PROPFIND", "/agents/a/b/sessions/c/fork", "POST"],
  ])("get the methods that a path takes: %s %s", async (method, path, allowed) => {
    const headers = { "x-omnia-request": "1" };
    const response = await anApi().request(path, { method, headers });
    expect([response.status, response.headers.get("allow")]).toEqual([405, allowed]);
  });

  it.each([
    "/",
    "/nothing",
    "/agents/",
    "/agents/a",
    "/agents/a/b/c",
    "/agents/a%2Fb/c/",
    "//agents",
  ])("for a path that is not there get 404: %s", async (path) => {
    expect((await anApi().json(path)).status).toBe(404);
  });

  it.each([
    ["without the header", {}],
    ["of another site", { "x-omnia-request": "1", "sec-fetch-site": "cross-site" }],
    ["of another name of the same site", { "x-omnia-request": "1", "sec-fetch-site": "same-site" }],
    ["of another origin", { "x-omnia-request": "1", origin: "http://evil.example" }],
    ["of another port", { "x-omnia-request": "1", origin: "http://gateway.example:81" }],
    ["of a page without an origin", { "x-omnia-request": "1", origin: "null" }],
  ])("that change something are refused %s", async (_, headers) => {
    const response = await anApi().request("/agents", { method: "POST", headers });
    expect(response.status).toBe(403);
  });

  it("answer HEAD as GET, without a body", async () => {
    for (const path of ["/agents", "/watch", "/openapi.json"]) {
      const response = await anApi().request(path, { method: "HEAD" });
      expect([path, response.status, await response.text()]).toEqual([path, 200, ""]);
    }
  });
});
