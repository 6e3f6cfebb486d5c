import { describe, expect, it } from "vitest";
import { agentDetail } from "../../gateway/api/views/agent-view.ts";
import { toolRegistryDetail } from "../../gateway/api/views/tool-registry-view.ts";
import { agentRuntimeOf, promptPackOf, toolRegistryOf } from "./resource-of-object.ts";

const metadata = {
  name: "one",
  namespace: "team",
  uid: "1",
  resourceVersion: "7",
  generation: 3,
  creationTimestamp: "2026-03-01T12:00:00Z",
  annotations: { note: "p1anted" },
};

describe("a resource of the cluster", () => {
  it("has its kind, all its fields, and no value that may be secret", () => {
    const agent = agentRuntimeOf({
      metadata,
      spec: {
        facade: { handler: "echo" },
        env: [{ name: "TOKEN", value: "p1anted" }],
      },
    });
    expect(agent).toMatchObject({
      apiVersion: "omnia.altairalabs.ai/v1alpha1",
      kind: "AgentRuntime",
      metadata: { name: "one", namespace: "team", generation: 3 },
      spec: { replicas: 1, facade: { handler: "echo" }, session: { type: "memory" } },
      status: {},
    });
    expect(agent.metadata).not.toHaveProperty("uid");
    expect(JSON.stringify(agent)).not.toContain("p1anted");
    const registry = toolRegistryOf({
      metadata,
      spec: { tools: [{ name: "t", type: "http", url: "http://user:p1anted@host/" }] },
    });
    expect(JSON.stringify(registry)).not.toContain("p1anted");
  });

  it.each([
    ["has fields that are not known here", { facade: { handler: "echo" }, later: { is: true } }],
    ["has no spec", undefined],
    ["has a spec that is none", "text"],
    ["has parts that are none", { facade: 3, session: [], tools: 7 }],
  ])("is shown all the same when it %s", (_says, spec) => {
    const facts = {
      pack: undefined,
      connections: 0,
      webSocketOrigin: "ws://host",
      place: "cluster" as const,
      can: { chat: false, sessions: false, deleteSession: false, callTool: false },
      replicas: [],
      events: [],
      suggestions: [],
    };
    expect(agentDetail(agentRuntimeOf({ metadata, spec }), facts).name).toBe("one");
    const registry = toolRegistryOf({ metadata, spec });
    expect(toolRegistryDetail(registry, { ...facts, tools: [], agents: [] }).tools).toEqual([]);
    expect(promptPackOf({ metadata, spec }).metadata.name).toBe("one");
  });
});
