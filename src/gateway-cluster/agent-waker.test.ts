import { describe, expect, it } from "vitest";
import { ManualClock } from "../../test/support/builders/manual-clock.ts";
import type { Route } from "../gateway/choose-replica.ts";
import { ApiError } from "../kube/client/api-error.ts";
import type { StoredAgentRuntime } from "../operator/cluster/kubernetes-objects.ts";
import { AgentWaker, HOLD_MS, MAX_HELD } from "./agent-waker.ts";

const AGENT = { name: "bot", namespace: "team" };
const ASLEEP: Route = {
  status: "unavailable",
  reason: "ScaledToZero: nobody uses it",
  startsOnDemand: true,
  allowedOrigins: [],
};
const AWAKE: Route = {
  status: "ready",
  endpoints: [{ id: "a", host: "10.0.0.1", port: 8080 }],
  affinity: "none",
  allowedOrigins: [],
};

/** One agent as the API server tells of it, and what was asked of the API server. */
function aSleepingAgent({
  replicas = 0,
  started = 0,
  error,
}: { replicas?: number; started?: number; error?: Error } = {}) {
  const clock = new ManualClock();
  const listeners = new Set<() => void>();
  const patches: [object, object][] = [];
  const errors: unknown[] = [];
  let route = ASLEEP;
  const metadata = { ...AGENT, resourceVersion: "7" };
  const stored = { metadata, spec: { replicas }, status: { replicas: started } };
  const waker = new AgentWaker({
    clock,
    agents: {
      resolve: () => route,
      get: () => stored as unknown as StoredAgentRuntime,
      subscribe: (_, listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    client: {
      async mergePatch(_type, at, patch) {
        patches.push([at, patch]);
        if (error !== undefined) throw error;
      },
    },
    onError: (_, cause) => errors.push(cause),
  });
  const become = (next: Route): void => {
    route = next;
    for (const listener of listeners) listener();
  };
  return { waker, clock, patches, errors, listeners, become };
}
const never = new AbortController().signal;

describe("an agent that nobody uses", () => {
  it("is started once for many clients, who get its route when it is ready", async () => {
    const { waker, patches, become, clock, listeners } = aSleepingAgent();
    const waiting = [1, 2, 3].map(() => waker.wake(AGENT, never));
    await clock.advance(100);
    expect(patches).toEqual([
      [
        { ...AGENT, subresource: "scale" },
        { metadata: { resourceVersion: "7" }, spec: { replicas: 1 } },
      ],
    ]);
    become(AWAKE);
    expect(await Promise.all(waiting)).toEqual([AWAKE, AWAKE, AWAKE]);
    expect([listeners.size, clock.pendingTimers]).toEqual([0, 0]);
  });

  it("is tried again while there is no replica, and refused after a while in its own words", async () => {
    const { waker, patches, clock, listeners } = aSleepingAgent();
    const waiting = waker.wake(AGENT, never);
    await clock.advance(HOLD_MS - 1);
    expect(patches.length).toBeGreaterThan(10);
    await clock.advance(1);
    expect(await waiting).toMatchObject({
      status: "unavailable",
      reason: "the agent is being started: ScaledToZero: nobody uses it",
    });
    expect([listeners.size, clock.pendingTimers]).toEqual([0, 0]);
  });

  it("has its number left alone when it is not none", async () => {
    const { waker, patches, become, clock } = aSleepingAgent({ replicas: 2 });
    const waiting = waker.wake(AGENT, never);
    await clock.advance(5_000);
    become(AWAKE);
    await waiting;
    expect(patches).toEqual([]);
  });

  it("has its number left alone while a replica of it starts that an autoscaler wants no more", async () => {
    const { waker, patches, become, clock } = aSleepingAgent({ started: 1 });
    const waiting = waker.wake(AGENT, never);
    await clock.advance(5_000);
    become(AWAKE);
    await waiting;
    expect(patches).toEqual([]);
  });

  it("is waited for no longer when it cannot start", async () => {
    const { waker, become, clock } = aSleepingAgent();
    const waiting = waker.wake(AGENT, never);
    await clock.advance(10);
    const failing: Route = { status: "unavailable", reason: "PodsFailing: x", allowedOrigins: [] };
    become(failing);
    expect(await waiting).toBe(failing);
  });

  it("is waited for no longer by a client that has left", async () => {
    const { waker, clock, listeners } = aSleepingAgent();
    const leaving = new AbortController();
    const waiting = waker.wake(AGENT, leaving.signal);
    await clock.advance(10);
    leaving.abort(new Error("the client has left"));
    await expect(waiting).rejects.toThrow("the client has left");
    expect([listeners.size, clock.pendingTimers]).toEqual([0, 0]);
    await expect(waker.wake(AGENT, leaving.signal)).rejects.toThrow("the client has left");
  });

  it.each([
    [409, 0],
    [404, 0],
    [403, 1],
  ])("may not be started (%i): that is told unless somebody else did it", async (status, told) => {
    const error = new ApiError({ status, reason: "", message: "no" });
    const { waker, clock, errors, become } = aSleepingAgent({ error });
    const waiting = waker.wake(AGENT, never);
    await clock.advance(10);
    expect(errors).toHaveLength(told);
    become(AWAKE);
    expect(await waiting).toBe(AWAKE);
  });

  it("has no more clients waiting than there may be over all agents", async () => {
    const { waker, become, clock } = aSleepingAgent();
    const waiting = Array.from({ length: MAX_HELD }, () => waker.wake(AGENT, never));
    await clock.advance(10);
    expect(await waker.wake(AGENT, never)).toMatchObject({
      status: "unavailable",
      reason: "too many clients wait for agents to start; try again",
    });
    become(AWAKE);
    await Promise.all(waiting);
    become(ASLEEP);
    const next = waker.wake(AGENT, never);
    become(AWAKE);
    expect(await next).toBe(AWAKE);
  });
});
