/**
 * What the operator takes where many agents come at once at a high rate limit: its time beside that of a bare client, the time of the
 * processor for each agent, and its memory; and how soon a new agent has its Deployment while the Deployments of all others report
 * their status over and over. OPERATOR_CHURN_AGENTS gives the number of agents; the targets are for 5,000 on a machine of its own.
 */
import { access } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { DEPLOYMENTS } from "../src/operator/cluster/kubernetes-objects.ts";
import { KubeCluster } from "../test/support/kubernetes/kube-cluster.ts";
import { aNamespaceManifest, theReferences } from "../test/support/builders/manifests.ts";
import type { Measurement } from "./bench.ts";
import {
  clientOf,
  cpuMsOf,
  createAgents,
  createBare,
  follow,
  memoryOf,
  PROGRAM,
  startOperator,
} from "./operator-with-agents.ts";

const AGENTS = Number(process.env["OPERATOR_CHURN_AGENTS"] ?? "1000");
const RATE = { perSecond: 400, burst: 400 };
/** How many Deployments report their status at a time. */
const REPORTERS = 8;
const NEW_AGENTS = 10;
const BETWEEN_NEW_AGENTS_MS = 500;
const TARGET_RATIO = 1.5;
const TARGET_CPU_MS = 5;
const TARGET_MEGABYTES = 300;
const TARGET_TAKE_UP_MS = 2_000;
const NAMESPACE = "agents";

export async function measureOperatorChurn(): Promise<Measurement[]> {
  await access(PROGRAM);
  const cluster = await KubeCluster.start({ withControllers: false });
  try {
    const flags = [`--kube-api-qps=${RATE.perSecond}`, `--kube-api-burst=${RATE.burst}`];
    const operator = await startOperator(cluster, flags);
    await cluster.create(aNamespaceManifest(NAMESPACE), ...theReferences(NAMESPACE));
    const followed = await follow(cluster, NAMESPACE);
    const cpuBefore = await cpuMsOf(operator.pid);
    const started = performance.now();
    const [made] = await Promise.all([
      followed.complete(AGENTS, started),
      createAgents(cluster, NAMESPACE, 0, AGENTS),
    ]);
    await settled(operator.pid);
    const cpuMs = ((await cpuMsOf(operator.pid)) - cpuBefore) / AGENTS;
    const objects = followed.objects();
    const { takeUps, reports } = await underChurn(cluster, followed);
    const { residentMegabytes, peakMegabytes } = await memoryOf(operator.pid);
    await followed.stop();
    await operator.stop();
    const floorMs = await createBare(cluster, "floor", objects, RATE);

    const ratio = made.all / floorMs;
    const slowest = Math.max(...takeUps);
    return [
      {
        what: `${AGENTS} AgentRuntimes applied at once at ${RATE.perSecond} requests/s, until the last has its objects`,
        measured: `${(made.all / 1000).toFixed(1)} s`,
        floor: `${(floorMs / 1000).toFixed(1)} s (a bare client that creates the same)`,
        result: `${ratio.toFixed(2)} times the floor`,
        target: `≤ ${TARGET_RATIO}`,
        withinTarget: ratio <= TARGET_RATIO,
      },
      {
        what: "Time of the processor that the operator takes for each of them",
        measured: `${cpuMs.toFixed(1)} ms`,
        floor: "none",
        result: `${cpuMs.toFixed(1)} ms`,
        target: `≤ ${TARGET_CPU_MS} ms`,
        withinTarget: cpuMs <= TARGET_CPU_MS,
      },
      {
        what: `Resident memory of the operator at ${AGENTS + NEW_AGENTS} AgentRuntimes`,
        measured: `${residentMegabytes.toFixed(1)} MB (at its highest ${peakMegabytes.toFixed(1)} MB)`,
        floor: "none",
        result: `${residentMegabytes.toFixed(1)} MB`,
        target: `≤ ${TARGET_MEGABYTES} MB at 6,000`,
        withinTarget: residentMegabytes <= TARGET_MEGABYTES,
      },
      {
        what: `Time until a new agent has its Deployment, while those of all others report ${reports.toFixed(0)} statuses/s`,
        measured: `${takeUps.toSorted((a, b) => a - b)[takeUps.length >> 1]?.toFixed(0)} ms in the middle, ${slowest.toFixed(0)} ms at most`,
        floor: "none",
        result: `${slowest.toFixed(0)} ms`,
        target: `≤ ${TARGET_TAKE_UP_MS} ms`,
        withinTarget: slowest <= TARGET_TAKE_UP_MS,
      },
    ];
  } finally {
    await cluster.stop();
  }
}

/** Until the operator has hardly had anything to do for a while. */
async function settled(pid: number): Promise<void> {
  for (;;) {
    const before = await cpuMsOf(pid);
    await delay(2_000);
    if ((await cpuMsOf(pid)) - before < 100) return;
  }
}

/** Has the Deployments report their status in turn, and makes one agent after the other meanwhile. */
async function underChurn(
  cluster: KubeCluster,
  followed: Awaited<ReturnType<typeof follow>>,
): Promise<{ takeUps: number[]; reports: number }> {
  const client = clientOf(cluster);
  const ending = new AbortController();
  const { signal } = ending;
  const deployments = followed.objects().filter(({ type }) => type === DEPLOYMENTS);
  let reported = 0;
  const reporting = Array.from({ length: REPORTERS }, async () => {
    while (!signal.aborted) {
      const index = reported++;
      const made = deployments[index % deployments.length];
      if (made === undefined) return;
      const at = { namespace: NAMESPACE, name: made.object.metadata.name, subresource: "status" };
      const isReady = Math.floor(index / deployments.length) % 2 === 0;
      const replicas = isReady ? 1 : 0;
      const status = {
        observedGeneration: 1,
        replicas: 1,
        updatedReplicas: 1,
        readyReplicas: replicas,
        availableReplicas: replicas,
      };
      await client.mergePatch(DEPLOYMENTS, at, { status }, new AbortController().signal);
    }
  });
  const began = performance.now();
  const takeUps: number[] = [];
  await delay(BETWEEN_NEW_AGENTS_MS);
  for (let index = AGENTS; index < AGENTS + NEW_AGENTS; index += 1) {
    const started = performance.now();
    await createAgents(cluster, NAMESPACE, index, index + 1);
    takeUps.push((await followed.complete(index + 1, started)).all);
    await delay(BETWEEN_NEW_AGENTS_MS);
  }
  const seconds = (performance.now() - began) / 1000;
  const reports = reported / seconds;
  ending.abort();
  await Promise.all(reporting);
  return { takeUps, reports };
}
