import { describe, expect, it } from "vitest";
import type { StoredAgentRuntime } from "../operator/cluster/kubernetes-objects.ts";
import { MAX_ENDPOINTS, routeOf, type AgentSlice } from "./route-of.ts";

const FACADE = [{ name: "facade", port: 8080 }];

function anAgent(spec: object = {}, conditions: object[] = []): StoredAgentRuntime {
  const object = {
    metadata: { name: "bot" },
    spec: { facade: {}, ...spec },
    status: { conditions },
  };
  return object as unknown as StoredAgentRuntime;
}

function aSlice(endpoints: AgentSlice["endpoints"], given: Partial<AgentSlice> = {}): AgentSlice {
  return { metadata: { name: "bot-1" }, addressType: "IPv4", ports: FACADE, endpoints, ...given };
}

function route(agent: StoredAgentRuntime | undefined, ...slices: AgentSlice[]) {
  return routeOf(agent, slices, { isAuthenticated: false });
}

describe("the way to an agent", () => {
  it("leads to no agent that there is not, whatever slices say", () => {
    expect(route(undefined, aSlice([{ addresses: ["10.0.0.1"] }]))).toEqual({ status: "unknown" });
  });

  it("leads to the replicas that are ready, and to those that leave but still serve", () => {
    const slice = aSlice([
      { addresses: ["10.0.0.1"], conditions: { ready: true }, targetRef: { uid: "a" } },
      { addresses: ["10.0.0.2"], conditions: { ready: false }, targetRef: { uid: "b" } },
      {
        addresses: ["10.0.0.3"],
        conditions: { ready: false, serving: true, terminating: true },
        targetRef: { uid: "c" },
      },
      {
        addresses: ["10.0.0.4"],
        conditions: { ready: false, serving: false, terminating: true },
        targetRef: { uid: "d" },
      },
      // An unknown condition counts as ready.
      { addresses: ["10.0.0.5"], conditions: { ready: null }, targetRef: { uid: "e" } },
      { addresses: [] },
    ]);
    expect(route(anAgent(), slice)).toEqual({
      status: "ready",
      affinity: "client",
      allowedOrigins: [],
      endpoints: [
        { id: "a", host: "10.0.0.1", port: 8080, isLeaving: false },
        { id: "c", host: "10.0.0.3", port: 8080, isLeaving: true },
        { id: "e", host: "10.0.0.5", port: 8080, isLeaving: false },
      ],
    });
  });

  it("leads to a replica with two addresses once, by IPv4", () => {
    const six = aSlice([{ addresses: ["fd00::1"], targetRef: { uid: "a" } }], {
      metadata: { name: "a-6" },
      addressType: "IPv6",
    });
    const four = aSlice([{ addresses: ["10.0.0.1"], targetRef: { uid: "a" } }]);
    expect(route(anAgent(), six, four)).toMatchObject({ endpoints: [{ host: "10.0.0.1" }] });
    expect(route(anAgent(), six)).toMatchObject({ endpoints: [{ host: "fd00::1" }] });
  });

  it("takes the port by its name, so that an old and a new one may be there at once", () => {
    const old = aSlice([{ addresses: ["10.0.0.1"] }], {
      ports: [
        { name: "other", port: 1 },
        { name: "facade", port: 9000 },
      ],
    });
    const without = aSlice([{ addresses: ["10.0.0.9"] }], { ports: [{ name: "other", port: 1 }] });
    expect(route(anAgent(), old, without, aSlice([{ addresses: ["10.0.0.2"] }]))).toMatchObject({
      endpoints: [
        { host: "10.0.0.1", port: 9000 },
        { host: "10.0.0.2", port: 8080 },
      ],
    });
  });

  it("resolves no names, and has no end", () => {
    const names = aSlice([{ addresses: ["internal.example"] }], { addressType: "FQDN" });
    expect(route(anAgent(), names)).toMatchObject({ status: "unavailable" });
    const many = Array.from({ length: MAX_ENDPOINTS + 1 }, (_, index) => ({
      addresses: [`10.1.${index >> 8}.${index & 255}`],
    }));
    expect(route(anAgent(), aSlice(many))).toHaveProperty("endpoints.length", MAX_ENDPOINTS);
  });

  it("keeps a client at one replica unless sessions are in Redis", () => {
    const slice = aSlice([{ addresses: ["10.0.0.1"] }]);
    expect(route(anAgent({ session: { type: "redis" } }), slice)).toMatchObject({
      affinity: "none",
    });
    expect(route(anAgent({ session: { type: "memory" } }), slice)).toMatchObject({
      affinity: "client",
    });
  });
});

describe("an agent without a replica", () => {
  const scaled = {
    type: "Available",
    status: "False",
    reason: "ScaledToZero",
    message: "no replicas are wanted",
  };

  it("is refused in the words of its condition", () => {
    const ready = { type: "Ready", status: "False", reason: "Other", message: "of less use" };
    expect(route(anAgent({}, [ready, scaled]))).toEqual({
      status: "unavailable",
      reason: "ScaledToZero: no replicas are wanted",
      isForAnybody: true,
      allowedOrigins: [],
    });
    const available = { ...scaled, status: "True" };
    expect(route(anAgent({}, [available, ready]))).toMatchObject({ reason: "Other: of less use" });
    expect(route(anAgent())).toMatchObject({ reason: "the agent is not ready" });
  });

  it("gives no reason to strangers where clients have to say who they are", () => {
    const asking = anAgent({ facade: { auth: {} } }, [scaled]);
    expect(route(asking)).toMatchObject({ isForAnybody: false });
    expect(routeOf(anAgent({}, [scaled]), [], { isAuthenticated: true })).toMatchObject({
      isForAnybody: false,
    });
  });
});

describe("an agent without a replica", () => {
  const onDemand = { autoscaling: { enabled: true, type: "keda", minReplicas: 0 } };
  const available = (reason: string) => [
    { type: "Available", status: reason === "ReplicasAvailable" ? "True" : "False", reason },
  ];

  it.each(["ScaledToZero", "WaitingForPods", "ReplicasAvailable"])(
    "is worth starting, or waiting for: %s",
    (reason) => {
      expect(route(anAgent(onDemand, available(reason)))).toMatchObject({ startsOnDemand: true });
    },
  );

  it("is worth starting when nothing is known of it yet", () => {
    expect(route(anAgent(onDemand))).toMatchObject({ startsOnDemand: true });
  });

  it.each(["PodsFailing", "DeadlineExceeded", "WaitingForReferences"])(
    "is not worth waiting for: %s",
    (reason) => {
      const found = route(anAgent(onDemand, available(reason)));
      expect(found).toMatchObject({ status: "unavailable", startsOnDemand: undefined });
    },
  );

  it.each([
    {},
    { autoscaling: {} },
    { autoscaling: { ...onDemand.autoscaling, enabled: false } },
    { autoscaling: { ...onDemand.autoscaling, minReplicas: 1 } },
    { autoscaling: { ...onDemand.autoscaling, type: "hpa" } },
  ])("is left alone where its spec does not say that load starts it: %j", (spec) => {
    const found = route(anAgent(spec, available("ScaledToZero")));
    expect(found).toMatchObject({ startsOnDemand: undefined });
  });
});
