import { describe, expect, it } from "vitest";
import type { ReplicaView } from "./workload.ts";
import { observeWorkload } from "./observe-workload.ts";

const replica = (overrides: Partial<ReplicaView>): ReplicaView => ({
  id: 1,
  revision: "new",
  state: "ready",
  failures: 0,
  restarts: 0,
  everReady: true,
  slow: false,
  overdue: false,
  ...overrides,
});

describe("observeWorkload", () => {
  it("counts replicas, and leaves out those that drain", () => {
    expect(
      observeWorkload(
        [
          replica({ id: 1, revision: "old" }),
          replica({ id: 2 }),
          replica({ id: 3, state: "starting", everReady: false }),
          replica({ id: 4, state: "draining" }),
        ],
        "new",
      ),
    ).toEqual({ replicas: 3, readyReplicas: 2, availableReplicas: 2, updatedReplicas: 2 });
  });

  it("sees a failure at once in a replica that never came up, with its own words", () => {
    const failing = replica({
      state: "waiting",
      failures: 1,
      everReady: false,
      lastEnd: "it ended with code 1: no config",
    });
    const failure = {
      reason: "PodsFailing",
      message: "replica 1: it ended with code 1: no config",
    };
    expect(observeWorkload([failing], "new").failure).toEqual(failure);
    expect(observeWorkload([{ ...failing, state: "starting" }], "new").failure).toEqual(failure);
  });

  it("sees none in a replica that ran and ended once, but in one that ends again", () => {
    const ended = replica({ state: "waiting", failures: 1, lastEnd: "it was ended by SIGKILL" });
    expect(observeWorkload([ended], "new").failure).toBeUndefined();
    expect(observeWorkload([{ ...ended, failures: 2 }], "new").failure).toMatchObject({
      reason: "PodsFailing",
    });
    expect(
      observeWorkload([{ ...ended, failures: 2, state: "ready" }], "new").failure,
    ).toBeUndefined();
  });

  it("hears what replicas say that run and are not ready, each thing once", () => {
    const reasons = [
      { about: "session-store" as const, message: "the session store does not answer" },
    ];
    const starting = replica({ state: "starting", everReady: false, reasons });
    expect(observeWorkload([starting], "new").reports).toBeUndefined();
    const slow = { ...starting, slow: true };
    const unready = replica({ id: 2, state: "unready", reasons });
    expect(observeWorkload([slow, unready], "new").reports).toEqual(reasons);
    expect(observeWorkload([replica({ reasons: [] })], "new").reports).toBeUndefined();
  });

  it("sees a rollout that is stuck in a replica that never was ready, and in no other", () => {
    const failing = { state: "waiting", failures: 2, lastEnd: "it ended with code 1" } as const;
    const fresh = replica({ ...failing, everReady: false });
    expect(observeWorkload([fresh, replica({ id: 2, revision: "old" })], "new").obstacle).toEqual({
      reason: "RolloutStuck",
      message: "replica 1: it ended with code 1",
    });
    expect(observeWorkload([replica(failing)], "new").obstacle).toBeUndefined();
  });

  it("sees that one is not ready for too long, and why", () => {
    const overdue = replica({
      state: "starting",
      everReady: false,
      overdue: true,
      message: "the session store does not answer",
    });
    expect(observeWorkload([overdue], "new").failure).toEqual({
      reason: "DeadlineExceeded",
      message: "replica 1: the session store does not answer",
    });
  });
});
