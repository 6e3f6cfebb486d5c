import { describe, expect, it } from "vitest";
import { CONDITIONS } from "../../api/conditions.ts";
import { anAgentRuntime } from "../../../test/support/builders/resources.ts";
import {
  decided,
  NOW,
  observed,
  registryReference,
  theReferences,
} from "../../../test/support/builders/a-decision.ts";
import { ECHO, REDIS, TOOLS } from "../../../test/support/decisions/decision-case.ts";
import { DECISION_CASES } from "../../../test/support/decisions/decision-cases.ts";
import { decideAgentRuntime } from "./decide-agent-runtime.ts";

describe("the status of an AgentRuntime", () => {
  it.each(DECISION_CASES)(
    "tells of $says: $type is $reason",
    ({ type, reason, phase, message, ...given }) => {
      const { status } = decided(given);
      const reasons: { true: readonly string[] } = CONDITIONS.AgentRuntime[type];
      expect(status.conditions?.find((one) => one.type === type)).toMatchObject({
        status: reasons.true.includes(reason) ? "True" : "False",
        reason,
        message: expect.stringContaining(message) as string,
        observedGeneration: 1,
        lastTransitionTime: "2026-03-01T12:00:00Z",
      });
      expect(status.phase).toBe(phase);
    },
  );

  it("knows every reason of the table, and tells its conditions in their order", () => {
    // A second operator tells of it, not the decision.
    const { Managed: _managed, ...decidedTypes } = CONDITIONS.AgentRuntime;
    const { Ready: _, ...parts } = decidedTypes;
    for (const [type, reasons] of Object.entries(parts)) {
      const told = DECISION_CASES.filter((one) => one.type === type).map(({ reason }) => reason);
      expect([...new Set(told)].toSorted()).toEqual(
        [...reasons.true, ...reasons.notTrue].toSorted(),
      );
    }
    const types = decided().status.conditions?.map(({ type }) => type);
    expect(types).toEqual(Object.keys(decidedTypes));
  });

  it("counts replicas, and says where clients connect and which pack runs", () => {
    const { status, config } = decided({ spec: { replicas: 3 }, observed: observed(3, 2) });
    expect(status).toMatchObject({
      replicas: 3,
      readyReplicas: 2,
      availableReplicas: 2,
      ready: "2/3",
      selector: "app.kubernetes.io/name=omnia-agent,app.kubernetes.io/instance=support",
      endpoint: "ws://support.agents.svc:8080/ws",
      observedGeneration: 1,
      promptPackVersion: config?.prompt?.active.version,
    });
    const local = decided({ endpoint: "ws://localhost:8080/?agent=support&namespace=agents" });
    expect(local.status.endpoint).toContain("localhost");
  });

  it("names what it waits for, and nothing that is well", () => {
    const { status } = decided({
      spec: TOOLS,
      references: theReferences({
        promptPack: { found: false },
        toolRegistry: registryReference(),
      }),
    });
    expect(status.conditions?.[0]?.message).toBe(
      'PromptPack "prompts" is not there; make it, or correct promptPackRef',
    );
  });

  it("says nothing of an endpoint while there is nothing to connect to", () => {
    const { status, config, workload } = decided({ references: {} });
    expect([config, workload]).toEqual([undefined, undefined]);
    expect(status).toMatchObject({ replicas: 0, ready: "0/1" });
    expect(status).not.toHaveProperty("endpoint");
    expect(status).not.toHaveProperty("promptPackVersion");
  });

  it("keeps the time of a condition while its status stays, and carries the generation", () => {
    const { status } = decided({ observed: observed(1, 0) });
    const agentRuntime = anAgentRuntime({ metadata: { generation: 7 }, status });
    const later = decideAgentRuntime({
      agentRuntime,
      references: theReferences(),
      observed: observed(1, 1),
      previous: {},
      now: NOW + 60_000,
    });
    expect(later.status.conditions).toMatchObject([
      { status: "True", lastTransitionTime: "2026-03-01T12:01:00Z", observedGeneration: 7 },
      { status: "True", lastTransitionTime: "2026-03-01T12:00:00Z", observedGeneration: 7 },
      {},
      {},
      {},
      {},
      {},
      { status: "True", lastTransitionTime: "2026-03-01T12:01:00Z", observedGeneration: 7 },
    ]);
  });

  it("tells of a change that is being rolled out", () => {
    const { status } = decided({ observed: { ...observed(1, 1), updatedReplicas: 0 } });
    expect(status.conditions?.[0]?.message).toBe(
      "1 of 1 replica available; a change is being rolled out",
    );
  });
});

describe("handlers without a model", () => {
  it.each(["echo", "demo"])("run with nothing at all: %s", (handler) => {
    const { config, workload, status } = decided({ spec: { facade: { handler } }, references: {} });
    expect(config).toEqual({
      version: 1,
      agent: { name: "support", namespace: "agents" },
      handler,
      facade: { port: 8080 },
      session: { type: "memory", ttlMs: 3_600_000 },
      tools: [],
    });
    expect(workload?.secretFiles).toEqual([]);
    expect(status.conditions?.slice(1, 5).map(({ status }) => status)).toEqual(
      Array(4).fill("True"),
    );
  });

  it("start without the Secret of their store, and say that it is missing", () => {
    const { config, status } = decided({ spec: { ...ECHO, ...REDIS }, references: {} });
    expect(config?.session.type).toBe("redis");
    expect(status.conditions?.find(({ type }) => type === "SessionStoreReady")).toMatchObject({
      reason: "SecretNotFound",
    });
  });
});
