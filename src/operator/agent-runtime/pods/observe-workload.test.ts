import { describe, expect, it } from "vitest";
import { available } from "../../../control/agent-runtime/available.ts";
import type { DeploymentObject, PodObject } from "../../cluster/kubernetes-objects.ts";
import { ROLL_HASH_ANNOTATION } from "../../cluster/labels.ts";
import { observeWorkload } from "./observe-workload.ts";

type PodStatus = NonNullable<PodObject["status"]>;
type ContainerStatus = NonNullable<PodStatus["containerStatuses"]>[number];
type Condition = NonNullable<NonNullable<DeploymentObject["status"]>["conditions"]>[number];

const POD = "support-7d9f8c4b5-x2x9z";
const UID = "0d8f3c1e-5b7a-4c1d-9e2f-0a1b2c3d4e5f";
const ENDED = { startedAt: new Date(0), finishedAt: new Date(0) };

function aDeployment(
  status: DeploymentObject["status"] = {},
  conditions: Condition[] = [],
): DeploymentObject {
  return {
    metadata: { name: "support", namespace: "agents", generation: 2 },
    spec: {
      selector: {},
      template: { metadata: { annotations: { [ROLL_HASH_ANNOTATION]: "new" } } },
    },
    status: { observedGeneration: 2, replicas: 1, conditions, ...status },
  };
}

function aPod(status: PodStatus, metadata: Partial<PodObject["metadata"]> = {}): PodObject {
  const annotations = { [ROLL_HASH_ANNOTATION]: "new" };
  return { metadata: { name: POD, annotations, ...metadata }, status };
}

function aContainer(status: Partial<ContainerStatus>): PodStatus {
  return {
    phase: "Running",
    containerStatuses: [{ name: "agent", ready: false, restartCount: 0, ...status }],
  };
}

const waiting = (reason: string, message?: string): PodStatus =>
  aContainer({ state: { waiting: { reason, ...(message === undefined ? {} : { message }) } } });

const ready = aContainer({ ready: true, started: true, state: { running: {} } });
const starting = aContainer({ started: false, state: { running: {} } });

const crashed = (message: string, more: object = {}): PodStatus =>
  aContainer({
    restartCount: 4,
    state: { waiting: { reason: "CrashLoopBackOff", message: `back-off 40s of ${POD}` } },
    lastState: { terminated: { exitCode: 1, reason: "Error", message, ...ENDED, ...more } },
  });

const failureOf = (...pods: PodStatus[]) =>
  observeWorkload({ deployment: aDeployment(), pods: pods.map((status) => aPod(status)) })?.failure;

describe("what is observed of a workload", () => {
  it("is nothing while there is no Deployment", () => {
    expect(observeWorkload({ deployment: undefined, pods: [] })).toBeUndefined();
  });

  it("counts replicas as the Deployment does", () => {
    const counts = { replicas: 4, readyReplicas: 3, availableReplicas: 2, updatedReplicas: 1 };
    expect(observeWorkload({ deployment: aDeployment(counts), pods: [] })).toEqual(counts);
  });

  it("does not count as updated what was so before the last change", () => {
    const deployment = aDeployment({ observedGeneration: 1, updatedReplicas: 1 });
    expect(observeWorkload({ deployment, pods: [] })).not.toHaveProperty("updatedReplicas");
  });
});

describe("a container that fails", () => {
  const said = '{"level":"error","error":{"message":"no config"},"msg":"The agent failed"}\n';
  const RESTARTS: PodStatus[] = [
    aContainer({ state: { terminated: { exitCode: 1, message: said, ...ENDED } } }),
    crashed(said),
    aContainer({
      restartCount: 5,
      started: false,
      state: { running: {} },
      lastState: { terminated: { exitCode: 1, message: said, ...ENDED } },
    }),
  ];

  it("is told in its own words, the same whenever one looks", () => {
    for (const status of RESTARTS) {
      const message = "The agent failed: no config (exit code 1)";
      expect(failureOf(status)).toEqual({ reason: "PodsFailing", message });
    }
  });

  it.each<[string, PodStatus, string]>([
    ["says nothing", crashed(""), "the container ended with exit code 1"],
    [
      "ends well, though it is to go on",
      crashed("", { exitCode: 0, reason: "Completed" }),
      "the container ended with exit code 0",
    ],
    ["was killed", crashed("bye", { exitCode: 137, signal: 9 }), "bye (signal 9)"],
    [
      "took too much memory",
      crashed("half a line", { exitCode: 137, reason: "OOMKilled" }),
      "the container took more memory than its limit and was ended (OOMKilled); raise spec.resources.limits.memory",
    ],
    [
      "ends, of which no more is known",
      waiting("CrashLoopBackOff", "back-off 5m0s restarting"),
      "the container ends again and again",
    ],
    [
      "waits for a Secret of its environment",
      waiting("CreateContainerConfigError", 'secret "tokens" not found'),
      'the container cannot be started: secret "tokens" not found',
    ],
    [
      "cannot be made",
      waiting("CreateContainerError", `name "agent_${POD}_agents_${UID}_3" is reserved`),
      'the container cannot be started: name "…" is reserved',
    ],
    [
      "has no such program",
      waiting("RunContainerError", 'exec: "agent": not found'),
      'the container cannot be started: exec: "agent": not found',
    ],
    [
      "has no such program, after a try",
      crashed('exec: "agent": not found', { exitCode: 128, reason: "StartError" }),
      'the container cannot be started: exec: "agent": not found',
    ],
    [
      "has no image",
      waiting("ErrImagePull", 'rpc error: code = NotFound desc = "a:1": not found'),
      'the image cannot be pulled: "a:1": not found',
    ],
    [
      "has no image, in the pause after a try",
      waiting(
        "ImagePullBackOff",
        'Back-off pulling image "a:1": ErrImagePull: rpc error: code = NotFound desc = "a:1": not found',
      ),
      'the image cannot be pulled: "a:1": not found',
    ],
    [
      "has no image, and its kubelet says no more",
      waiting("ImagePullBackOff", 'Back-off pulling image "a:1"'),
      'image "a:1" cannot be pulled',
    ],
    [
      "has an image of a name that is none",
      waiting("InvalidImageName", 'couldn\'t parse image name "A B"'),
      'the image cannot be pulled: couldn\'t parse image name "A B"',
    ],
  ])("is told of when it %s", (_, status, message) => {
    expect(failureOf(status)).toEqual({ reason: "PodsFailing", message });
  });

  it("is named when it is not the agent's own", () => {
    const [status] = crashed("no certificate").containerStatuses ?? [];
    const proxy = { ...status, name: "proxy" } as ContainerStatus;
    const message = 'container "proxy": no certificate (exit code 1)';
    expect(failureOf({ containerStatuses: [proxy] })).toEqual({ reason: "PodsFailing", message });
  });

  it("says no secret", () => {
    const failure = failureOf(crashed("cannot open redis://:hunter2@store:6379"));
    expect(failure?.message).not.toContain("hunter2");
  });

  it("is told of alike in whatever order the pods come", () => {
    const pods = [crashed("b"), crashed("a"), ready];
    expect(failureOf(...pods)).toEqual(failureOf(...pods.toReversed()));
    expect(failureOf(...pods)?.message).toBe("a (exit code 1)");
  });

  it.each<[string, PodStatus]>([
    ["is ready", ready],
    ["is starting", starting],
    ["waits for its files", waiting("ContainerCreating")],
    [
      "got over a crash, and is not ready for another reason",
      {
        ...aContainer({
          started: true,
          state: { running: {} },
          lastState: { terminated: { exitCode: 1, message: "boom", ...ENDED } },
        }),
      },
    ],
  ])("is not one that %s", (_, status) => {
    expect(failureOf(status)).toBeUndefined();
  });
});

describe("pods that do not count", () => {
  const old = { annotations: { [ROLL_HASH_ANNOTATION]: "old" } };
  const boom = { reason: "PodsFailing", message: "boom (exit code 1)" };
  const observe = (...pods: PodObject[]) =>
    observeWorkload({ deployment: aDeployment(), pods })?.failure;

  it("were evicted, have ended or are being deleted", () => {
    const failed = crashed("boom");
    expect(observe(aPod({ ...failed, phase: "Failed", reason: "Evicted" }))).toBeUndefined();
    expect(observe(aPod({ ...failed, phase: "Succeeded" }))).toBeUndefined();
    expect(observe(aPod(failed, { deletionTimestamp: "2026-03-01T12:00:00Z" }))).toBeUndefined();
  });

  it("are of an older template, once there are others", () => {
    expect(observe(aPod(crashed("boom"), old), aPod(starting))).toBeUndefined();
    expect(observe(aPod(ready, old), aPod(crashed("boom")))).toEqual(boom);
  });

  it("are none while only those of an older template are there", () => {
    expect(observe(aPod(crashed("boom"), old))).toEqual(boom);
  });
});

describe("a Deployment that does not get on", () => {
  const condition = (type: string, status: string, reason: string, message: string): Condition => ({
    type,
    status,
    reason,
    message,
  });
  const quota = condition(
    "ReplicaFailure",
    "True",
    "FailedCreate",
    `pods "${POD}" is forbidden: exceeded quota: team, requested: pods=1, used: pods=4, limited: pods=4`,
  );
  const overdue = condition("Progressing", "False", "ProgressDeadlineExceeded", `RS "${POD}"`);

  it("says why no pods can be made", () => {
    expect(observeWorkload({ deployment: aDeployment({}, [quota]), pods: [] })?.failure).toEqual({
      reason: "PodsFailing",
      message:
        "pods cannot be made: exceeded quota: team, requested: pods=1, used: pods=4, limited: pods=4",
    });
  });

  it("has failed when its time is over", () => {
    const pods = [aPod(starting)];
    expect(observeWorkload({ deployment: aDeployment({}, [overdue]), pods })?.failure).toEqual({
      reason: "DeadlineExceeded",
      message: "new replicas did not become ready in time",
    });
  });

  it("has failed for what its pods say, sooner than for the time", () => {
    const pods = [aPod(crashed("boom"))];
    const failure = observeWorkload({ deployment: aDeployment({}, [overdue]), pods })?.failure;
    expect(failure?.message).toBe("boom (exit code 1)");
  });

  it("does not speak of a change that its controller has not seen", () => {
    for (const one of [quota, overdue]) {
      const deployment = aDeployment({ observedGeneration: 1 }, [one]);
      expect(observeWorkload({ deployment, pods: [] })?.failure).toBeUndefined();
    }
  });
});

describe("what is in the way of replicas", () => {
  const condition = (type: string, reason: string, message: string): Condition => ({
    type,
    status: type === "ReplicaFailure" ? "True" : "False",
    reason,
    message,
  });
  const obstacle = (...[deployment, ...pods]: [DeploymentObject, ...PodObject[]]) =>
    observeWorkload({ deployment, pods })?.obstacle;
  const cannotCreate = (message: string) =>
    obstacle(aDeployment({}, [condition("ReplicaFailure", "FailedCreate", message)]));
  const rolledOut = aDeployment({ replicas: 1, updatedReplicas: 1 }, [
    { ...condition("Progressing", "NewReplicaSetAvailable", ""), status: "True" },
  ]);
  const unschedulable = (message: string): PodObject =>
    aPod({
      phase: "Pending",
      conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message }],
    });

  it.each([
    ["exceeded quota: small, requested: pods=1, used: pods=4, limited: pods=4", "Quota"],
    ["failed quota: small: must specify limits.cpu for: agent", "Quota"],
    ["maximum cpu usage per Container is 1, but limit is 2", "RolloutStuck"],
    ['admission webhook "deny.example" denied the request: not today', "RolloutStuck"],
    [
      'error looking up service account agents/gone: serviceaccount "gone" not found',
      "RolloutStuck",
    ],
    ['violates PodSecurity "restricted:latest": runAsNonRoot != true', "RolloutStuck"],
  ])("is told in the API server's own words: %s", (words, reason) => {
    const message = `pods "${POD}" is forbidden: ${words}`;
    expect(cannotCreate(message)).toEqual({ reason, message: `pods cannot be made: ${words}` });
  });

  it("is a quota on another object, too", () => {
    const problem = 'the API server refuses Deployment "support": exceeded quota: few';
    const observed = observeWorkload({ deployment: undefined, pods: [], problem });
    expect(observed?.obstacle).toEqual({ reason: "Quota", message: problem });
  });

  it.each([
    "0/3 nodes are available: 3 Insufficient cpu.",
    "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.",
    "0/3 nodes are available: 3 node(s) had untolerated taint {a: b}.",
  ])("is told in the scheduler's own words: %s", (words) => {
    const more = " no new claims to deallocate, preemption: 0/3 nodes are available: 3 No victims.";
    for (const said of [words, words + more]) {
      expect(obstacle(aDeployment(), unschedulable(said))).toEqual({
        reason: "Unschedulable",
        message: `no node takes it: ${words}`,
      });
    }
  });

  it("is an image that cannot be had, whether a rollout is under way or not", () => {
    for (const deployment of [aDeployment(), rolledOut]) {
      expect(obstacle(deployment, aPod(waiting("ErrImagePull", '"a:1": not found')))).toEqual({
        reason: "ImagePull",
        message: 'the image cannot be pulled: "a:1": not found',
      });
    }
  });

  it("is a container that fails, unless its template has been seen to work", () => {
    const pod = aPod(crashed("boom"));
    const stuck = { reason: "RolloutStuck", message: "boom (exit code 1)" };
    expect(obstacle(aDeployment(), pod)).toEqual(stuck);
    expect(obstacle(rolledOut, pod)).toBeUndefined();
  });

  it("is an init container that somebody has injected", () => {
    const [status] = crashed("no certificate").containerStatuses ?? [];
    const init = { ...status, name: "mesh-init" } as ContainerStatus;
    expect(obstacle(aDeployment(), aPod({ initContainerStatuses: [init] }))).toEqual({
      reason: "RolloutStuck",
      message: 'container "mesh-init": no certificate (exit code 1)',
    });
  });

  it("is what replicas say of themselves, when the time of a rollout is over", () => {
    const overdue = aDeployment({}, [condition("Progressing", "ProgressDeadlineExceeded", "")]);
    const reports = [{ message: "the session store does not answer" }];
    const observed = observeWorkload({ deployment: overdue, pods: [aPod(starting)], reports });
    expect(observed).toMatchObject({
      failure: { reason: "DeadlineExceeded", message: "the session store does not answer" },
      obstacle: { reason: "RolloutStuck", message: "the session store does not answer" },
      reports,
    });
  });

  it("is none while replicas start, and when all is well", () => {
    expect(obstacle(aDeployment(), aPod(starting))).toBeUndefined();
    expect(obstacle(aDeployment(), aPod(waiting("ContainerCreating")))).toBeUndefined();
    expect(obstacle(rolledOut, aPod(ready))).toBeUndefined();
  });

  it("is not what was so before the last change", () => {
    const before = { ...rolledOut, status: { ...rolledOut.status, observedGeneration: 1 } };
    expect(observeWorkload({ deployment: before, pods: [] })).not.toHaveProperty("updatedReplicas");
    const written = observeWorkload({ deployment: rolledOut, pods: [], isOutdated: true });
    expect(written).not.toHaveProperty("updatedReplicas");
  });
});

describe("replicas that are missing", () => {
  const waits = (...pods: PodObject[]) =>
    observeWorkload({ deployment: aDeployment({ availableReplicas: 0 }), pods })?.waiting;
  const onNode = (conditions: NonNullable<PodStatus["conditions"]>): PodObject => ({
    ...aPod({ ...ready, conditions }),
    spec: { nodeName: "node-1" },
  });

  it("are on a node that is not heard of", () => {
    const conditions = [
      { type: "ContainersReady", status: "True" },
      { type: "Ready", status: "False" },
    ];
    expect(waits(onNode(conditions))).toBe('its node "node-1" does not report its state');
  });

  it("wait for a readiness gate of somebody else", () => {
    const message = 'the status of pod readiness gate "lb" is not "True", but False';
    const conditions = [
      { type: "ContainersReady", status: "True" },
      { type: "Ready", status: "False", reason: "ReadinessGatesNotReady", message },
    ];
    expect(waits(onNode(conditions))).toContain('readiness gate "lb"');
  });

  it("were evicted, as long as none has taken their place", () => {
    const message = "The node was low on resource: memory.";
    const at = (time: string) => ({ creationTimestamp: `2026-03-01T${time}Z` });
    const evicted = aPod({ phase: "Failed", reason: "Evicted", message }, at("12:00:00"));
    const next = aPod(starting, at("12:00:01"));
    expect(waits(evicted, next)).toBe(`a pod was ended (Evicted): ${message}`);
    const terminated = { exitCode: 0, ...ENDED, finishedAt: new Date("2026-03-01T12:00:00Z") };
    const inOrder = aPod(
      { ...aContainer({ state: { terminated } }), phase: "Succeeded" },
      at("08:00:00"),
    );
    expect(waits(inOrder, next)).toBe("a pod was ended by its node; its events say why");
    expect(waits(inOrder, aPod(starting, at("16:00:00")))).toBeUndefined();
    expect(waits(inOrder, evicted, aPod(ready, at("12:00:01")))).toBeUndefined();
    const whole = aDeployment({ availableReplicas: 1 });
    expect(observeWorkload({ deployment: whole, pods: [evicted] })?.waiting).toBeUndefined();
  });
});

describe("what people are told", () => {
  const tell = (facts: Partial<Parameters<typeof observeWorkload>[0]>, wanted = 2) =>
    available({
      observed: observeWorkload({ deployment: aDeployment(), pods: [], ...facts }),
      wanted,
      runnable: true,
      unmet: [],
      startsOnDemand: false,
    });
  const unschedulable = aPod({
    phase: "Pending",
    conditions: [
      {
        type: "PodScheduled",
        status: "False",
        reason: "Unschedulable",
        message:
          "0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available: 1 No preemption victims found.",
      },
    ],
  });
  const problem = 'Service "support" is there and belongs to somebody else';

  it("says what room is lacking, while pods wait for it", () => {
    expect(tell({ pods: [unschedulable] })).toMatchObject({
      reason: "WaitingForPods",
      message:
        "None of 2 replicas is available yet: no node takes it: 0/1 nodes are available: 1 Insufficient memory.",
    });
  });

  it("says it too while others serve", () => {
    const deployment = aDeployment({ replicas: 2, availableReplicas: 1, updatedReplicas: 2 });
    expect(tell({ deployment, pods: [aPod(ready), unschedulable] })).toMatchObject({
      reason: "ReplicasAvailable",
      message: expect.stringMatching(/^1 of 2 replicas available; others wait: no node/),
    });
  });

  it("says what could not be made, when nothing is available", () => {
    for (const deployment of [undefined, aDeployment()]) {
      expect(tell({ deployment, problem })).toMatchObject({
        reason: "PodsFailing",
        message: `No replica is available: ${problem}`,
      });
    }
  });

  it("says what could not be made after what is available", () => {
    const deployment = aDeployment({ replicas: 2, availableReplicas: 2, updatedReplicas: 2 });
    expect(tell({ deployment, problem })).toMatchObject({
      reason: "ReplicasAvailable",
      message: `2 of 2 replicas available, but: ${problem}`,
    });
  });

  it("says of a change that fails what is left, and why it fails", () => {
    const deployment = aDeployment({ replicas: 3, availableReplicas: 2, updatedReplicas: 1 });
    expect(tell({ deployment, pods: [aPod(crashed("boom"))] })).toMatchObject({
      reason: "ReplicasAvailable",
      message: "2 of 2 replicas available; others fail: boom (exit code 1)",
    });
  });
});
