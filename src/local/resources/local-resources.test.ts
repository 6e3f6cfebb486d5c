import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { anAgentRuntime } from "../../../test/support/builders/resources.ts";
import type { AgentRuntime } from "../../api/agent-runtime.ts";
import type { ReplicaView } from "../replicas/workload.ts";
import { LocalResources } from "./local-resources.ts";

const NAME = { namespace: "agents", name: "support" };
const ABOUT = { kind: "AgentRuntime", ...NAME } as const;

const available = (status: "True" | "False", reason: string) => ({
  phase: "Running" as const,
  conditions: [
    {
      type: "Available",
      status,
      reason,
      message: `${reason}.`,
      lastTransitionTime: "2026-01-01T00:00:00Z",
    },
  ],
});

function someResources(replicas: readonly ReplicaView[] = []) {
  let declared: AgentRuntime[] = [];
  const clock = new ManualClock();
  const resources = new LocalResources({
    clock,
    control: () => ({
      resources: () => declared.map(({ status = {}, ...resource }) => ({ ...resource, status })),
      agent: () => ({ replicas: () => [...replicas] }),
      tools: () => [{ name: "t", description: "see http://host/?key=p1anted" }],
      packVersions: () => [],
      packVersionTimes: () => Promise.resolve(new Map()),
    }),
  });
  const told: string[] = [];
  const listening = resources.listen(({ changed, removed, events }) =>
    told.push(
      ...changed.map(({ metadata: { name } }) => `changed ${name}`),
      ...removed.map(({ name }) => `removed ${name}`),
      ...events.map(({ about, event }) => `${about.name} ${event.type} ${event.reason}`),
    ),
  );
  const update = (...agents: AgentRuntime[]): string[] => {
    declared = agents;
    resources.update();
    return told.splice(0);
  };
  return { resources, clock, listening, update, told };
}

describe("the resources of one machine", () => {
  it("are told when they change, with what happened, and not when nothing has", () => {
    const { resources, update } = someResources();
    const waiting = anAgentRuntime({ status: available("False", "WaitingForPods") });
    const running = anAgentRuntime({ status: available("True", "ReplicasAvailable") });
    const failing = anAgentRuntime({ status: available("False", "PodsFailing") });
    expect(update(waiting)).toEqual(["changed support", "support Normal WaitingForPods"]);
    const before = resources.resource("AgentRuntime", NAME);
    expect(update(waiting)).toEqual([]);
    expect(resources.resource("AgentRuntime", NAME)).toBe(before);
    expect(update(running)).toEqual(["changed support", "support Normal ReplicasAvailable"]);
    expect(update(failing)).toEqual(["changed support", "support Warning PodsFailing"]);
    expect(resources.events(ABOUT).map(({ reason }) => reason)).toEqual([
      "PodsFailing",
      "ReplicasAvailable",
      "WaitingForPods",
    ]);
  });

  it("are told when they go, and leave no event behind", () => {
    const { resources, update } = someResources();
    update(anAgentRuntime({ status: available("False", "PodsFailing") }));
    expect(update()).toEqual(["removed support"]);
    expect([resources.resources(), resources.events(ABOUT)]).toEqual([[], []]);
  });

  it("have what happened besides a change of their status, which is told at once", () => {
    const { resources, told } = someResources();
    resources.record(ABOUT, { type: "Warning", reason: "ReplicaEnded", message: "it ended" });
    expect(told).toEqual(["support Warning ReplicaEnded"]);
    expect(resources.events(ABOUT)).toMatchObject([{ count: 1, message: "it ended" }]);
  });

  it("tell nobody who does not listen any more", () => {
    const { listening, update } = someResources();
    listening[Symbol.dispose]();
    expect(update(anAgentRuntime())).toEqual([]);
  });

  it("show no value that may be a credential", () => {
    const { resources, update } = someResources();
    update(anAgentRuntime({ spec: { env: [{ name: "KEY", value: "p1anted" }] } }));
    expect(JSON.stringify(resources.resources())).toContain("(hidden)");
    expect(JSON.stringify([resources.resources(), resources.tools(NAME)])).not.toContain("p1anted");
  });

  it("have replicas with their restarts and the last words of a process that ended", () => {
    const base = {
      revision: "r",
      failures: 1,
      everReady: true,
      slow: false,
      overdue: false,
      restartAt: 0,
    };
    const { resources } = someResources([
      { ...base, id: 1, state: "ready", restarts: 2, startedAt: 0, lastWords: "it ended: no key" },
      { ...base, id: 2, state: "unready", restarts: 0, message: "the store is away" },
    ]);
    expect(resources.replicas(NAME)).toEqual([
      {
        name: "replica-1",
        ready: true,
        phase: "Running",
        restarts: 2,
        lastWords: "it ended: no key",
        startedAt: "1970-01-01T00:00:00.000Z",
      },
      {
        name: "replica-2",
        ready: false,
        phase: "NotReady",
        restarts: 0,
        lastWords: "the store is away",
      },
    ]);
  });
});
