import { describe, expect, it } from "vitest";
import type {
  ContainerStatus,
  PodObject,
  PodStatus,
} from "../../operator/cluster/kubernetes-objects.ts";
import { replicaOfPod } from "./replica-of-pod.ts";

const STARTED = "2026-03-01T12:00:00Z";
const READY = [{ type: "Ready", status: "True" }];
const ENDED = {
  terminated: {
    exitCode: 1,
    message: '{"level":"error","error":{"message":"no config"},"msg":"The agent failed"}\n',
  },
} as NonNullable<ContainerStatus["lastState"]>;

function aPod(status: PodStatus, metadata: Partial<PodObject["metadata"]> = {}): PodObject {
  return { metadata: { name: "bot-1", namespace: "team", ...metadata }, status };
}

function agent(fields: Partial<ContainerStatus>): PodStatus {
  const container = { name: "agent", ready: false, restartCount: 0, ...fields };
  return { phase: "Running", containerStatuses: [container] };
}

const running = {
  ready: true,
  started: true,
  state: { running: { startedAt: STARTED as unknown as Date } },
};

describe("a pod as a replica", () => {
  it("is ready, with its start, its restarts and the last words of the process before", () => {
    const status = agent({ ...running, restartCount: 2, lastState: ENDED });
    expect(replicaOfPod(aPod({ ...status, conditions: READY }))).toEqual({
      name: "bot-1",
      ready: true,
      phase: "Running",
      restarts: 2,
      lastWords: "The agent failed: no config (exit code 1)",
      startedAt: STARTED,
    });
  });

  it.each<[string, PodObject, object]>([
    ["is new", aPod({ phase: "Pending" }), { phase: "Starting", lastWords: undefined }],
    ["has no status yet", { metadata: { name: "bot-1" } }, { phase: "Starting", restarts: 0 }],
    ["starts", aPod(agent({ started: false })), { phase: "Starting" }],
    ["runs and is not ready", aPod(agent({ ...running, ready: false })), { phase: "NotReady" }],
    [
      "goes",
      aPod({ ...agent(running), conditions: READY }, { deletionTimestamp: STARTED }),
      { phase: "Draining", ready: false },
    ],
    [
      "ends again and again",
      aPod(
        agent({
          restartCount: 4,
          state: { waiting: { reason: "CrashLoopBackOff" } },
          lastState: ENDED,
        }),
      ),
      {
        phase: "Restarting",
        restarts: 4,
        lastWords: "The agent failed: no config (exit code 1)",
      },
    ],
    [
      "has no image",
      aPod(agent({ state: { waiting: { reason: "ErrImagePull", message: '"a:1": not found' } } })),
      { phase: "NotReady", lastWords: 'the image cannot be pulled: "a:1": not found' },
    ],
    [
      "has no node",
      aPod({
        phase: "Pending",
        conditions: [{ type: "PodScheduled", status: "False", message: "0/3 nodes are available" }],
      }),
      { phase: "Starting", lastWords: "0/3 nodes are available" },
    ],
    [
      "was evicted",
      aPod({ phase: "Failed", reason: "Evicted", message: "low on memory" }),
      { phase: "Failed", lastWords: "Evicted: low on memory" },
    ],
  ])("says why it is not ready when it %s", (_when, pod, expected) => {
    expect(replicaOfPod(pod)).toMatchObject({ ready: false, ...expected });
  });

  it("says no secret", () => {
    const lastState = {
      terminated: { exitCode: 1, message: "cannot open redis://:p1anted@store:6379" },
    } as NonNullable<ContainerStatus["lastState"]>;
    const state = { waiting: { reason: "CrashLoopBackOff" } };
    expect(JSON.stringify(replicaOfPod(aPod(agent({ state, lastState }))))).not.toContain(
      "p1anted",
    );
  });
});
