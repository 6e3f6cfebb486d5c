/** What the HTTP API might answer: whole values, to be changed in the place that a test is about. */
import type { AgentDetail, AgentView } from "../../../src/http-api/agent-views.ts";
import type { PackDetail, PackDocument } from "../../../src/http-api/pack-views.ts";
import type { SessionView } from "../../../src/http-api/session-views.ts";
import type { ToolRegistryDetail, ToolView } from "../../../src/http-api/tool-views.ts";

export const AT = "2026-11-29T12:00:00.000Z";

export function anAgentView(changes: Partial<AgentView> = {}): AgentView {
  return {
    namespace: "default",
    name: "support",
    phase: "Running",
    ready: 2,
    wanted: 2,
    handler: "runtime",
    provider: "openai",
    model: "a-model",
    pack: { name: "support-pack", version: "1.2.0" },
    registry: "shop",
    sessionStore: "redis",
    connections: 3,
    wsUrl: "ws://localhost:8080/ws?agent=support",
    authenticated: false,
    can: { chat: true, sessions: true, deleteSession: true, callTool: true },
    createdAt: AT,
    ...changes,
  };
}

export function aSessionView(changes: Partial<SessionView> = {}): SessionView {
  return {
    id: "session-1",
    title: "What can you do?",
    createdAt: AT,
    lastActiveAt: AT,
    expiresAt: AT,
    turns: 1,
    toolCalls: 0,
    inputTokens: 0,
    outputTokens: 0,
    state: "idle",
    ...changes,
  };
}

export const NO_SECRET = {
  summary: "support has no key for its provider",
  cause: "There is no Secret openai in namespace default.",
  cure: "Make the Secret with the key.",
  command:
    "kubectl create secret generic openai --namespace default --from-literal=api-key=<your key>",
  docs: "reasons/SecretNotFound",
};

export function anAgentDetail(changes: Partial<AgentDetail> = {}): AgentDetail {
  return {
    ...anAgentView(),
    conditions: [
      {
        type: "ProviderReady",
        status: "True",
        reason: "KeyFound",
        message: "The key is there",
        lastTransitionTime: AT,
      },
      {
        type: "Available",
        status: "True",
        reason: "ReplicasAvailable",
        message: "2 of 2 replicas are available",
        lastTransitionTime: AT,
      },
    ],
    events: [
      { at: AT, count: 1, type: "Normal", reason: "Available", message: "The agent is available" },
    ],
    replicas: [
      { name: "support-0", ready: true, phase: "Running", restarts: 0, startedAt: AT },
      {
        name: "support-1",
        ready: true,
        phase: "Running",
        restarts: 2,
        lastWords: "the model server hung up",
        startedAt: AT,
      },
    ],
    manifest:
      "apiVersion: omnia.altairalabs.ai/v1alpha1\nkind: AgentRuntime\nmetadata:\n  name: support\nspec:\n  replicas: 2\n",
    suggestions: ["Where is my order?"],
    ...changes,
  };
}

export function aPackDetail(changes: Partial<PackDetail> = {}): PackDetail {
  return {
    namespace: "default",
    name: "support-pack",
    phase: "Canary",
    activeVersion: "aaaaaaaaaaaa",
    activeSemver: "1.2.0",
    canary: {
      version: "bbbbbbbbbbbb",
      semver: "1.3.0",
      weight: 10,
      counts: {
        sessions: 12,
        turns: 40,
        failures: 2,
        validationFailures: 1,
        p50FirstChunkMs: 310,
        p95FirstChunkMs: 900,
      },
      activeCounts: {
        sessions: 88,
        turns: 300,
        failures: 3,
        validationFailures: 0,
        p50FirstChunkMs: 420,
        p95FirstChunkMs: 1_200,
      },
    },
    createdAt: AT,
    versions: [
      {
        hash: "bbbbbbbbbbbb",
        version: "1.3.0",
        state: "canary",
        keptAt: AT,
        agents: ["default/support"],
      },
      {
        hash: "aaaaaaaaaaaa",
        version: "1.2.0",
        state: "active",
        keptAt: AT,
        agents: ["default/support"],
      },
      { hash: "cccccccccccc", version: "1.1.0", state: "kept", keptAt: AT, agents: [] },
    ],
    conditions: [
      {
        type: "SourceValid",
        status: "True",
        reason: "Valid",
        message: "The pack is valid",
        lastTransitionTime: AT,
      },
    ],
    events: [],
    manifest:
      "apiVersion: omnia.altairalabs.ai/v1alpha1\nkind: PromptPack\nmetadata:\n  name: support-pack\n",
    ...changes,
  };
}

export function aPackDocument(changes: Partial<PackDocument> = {}): PackDocument {
  return {
    hash: "aaaaaaaaaaaa",
    version: "1.2.0",
    document: {
      id: "support-pack",
      name: "Support",
      version: "1.2.0",
      prompts: {
        default: {
          id: "default",
          name: "Default",
          system_template: "You help customers of {{shop}}.\nBe short.",
          parameters: { temperature: 0.2 },
        },
        refund: { id: "refund", name: "Refund", system_template: "You decide about refunds." },
      },
    },
    ...changes,
  };
}

export function aToolView(changes: Partial<ToolView> = {}): ToolView {
  return {
    name: "weather",
    type: "http",
    description: "Tells the weather of a city.",
    inputSchema: {
      type: "object",
      required: ["city"],
      properties: {
        city: { type: "string", description: "The city" },
        days: { type: "integer", minimum: 1, maximum: 7 },
        unit: { type: "string", enum: ["celsius", "fahrenheit"] },
        detailed: { type: "boolean" },
      },
    },
    available: true,
    address: "http://weather.default.svc/",
    agents: ["default/support"],
    ...changes,
  };
}

export function aRegistryDetail(changes: Partial<ToolRegistryDetail> = {}): ToolRegistryDetail {
  return {
    namespace: "default",
    name: "shop",
    phase: "Degraded",
    discoveredTools: 3,
    availableTools: 2,
    createdAt: AT,
    tools: [
      aToolView(),
      aToolView({ name: "refund", description: "Pays money back.", destructive: true }),
      aToolView({
        name: "stock",
        available: false,
        reason: "NoReadyEndpoints",
        message: "The Service stock has no ready endpoint.",
      }),
    ],
    conditions: [
      {
        type: "AllToolsReady",
        status: "False",
        reason: "NoReadyEndpoints",
        message: "1 of 3 tools is not available: stock",
        lastTransitionTime: AT,
      },
    ],
    events: [],
    manifest:
      "apiVersion: omnia.altairalabs.ai/v1alpha1\nkind: ToolRegistry\nmetadata:\n  name: shop\n",
    ...changes,
  };
}
