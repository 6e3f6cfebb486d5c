/**
 * What the operator costs: the time until 500 AgentRuntimes that are applied at once have their objects, against a bare client that
 * creates the same objects at the same rate limit; its memory at 1,000; and that it writes nothing when nothing changes.
 */
import { access } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { CONFIG_MAPS } from "../src/operator/cluster/kubernetes-objects.ts";
import { KubeCluster, OPERATOR_USER } from "../test/support/kubernetes/kube-cluster.ts";
import { aNamespaceManifest, theReferences } from "../test/support/builders/manifests.ts";
import type { Measurement } from "./bench.ts";
import { MeasuredProcess } from "./measured-process.ts";
import {
  allRunning,
  createAgents,
  createBare,
  follow,
  memoryOf,
  PROGRAM,
  quiet,
  startOperator,
} from "./operator-with-agents.ts";

const APPLIED = 500;
const RATE = { perSecond: 50, burst: 100 };
const RATE_FLAGS = [`--kube-api-qps=${RATE.perSecond}`, `--kube-api-burst=${RATE.burst}`];
const TARGET_RATIO = 1.5;
const IDLE = 100;
const IDLE_MS = 60_000;
const RESYNC = "20s";
const KEPT = 1_000;
const TARGET_MEGABYTES = 250;

export async function measureOperatorScale(): Promise<Measurement[]> {
  await access(PROGRAM);
  return [...(await measureApplied()), ...(await measureKept())];
}

/** Without controllers that make pods: they would take the time of the machine, and make no difference to what is measured. */
async function measureApplied(): Promise<Measurement[]> {
  const cluster = await KubeCluster.start({ withControllers: false });
  try {
    const operator = await startOperator(cluster, RATE_FLAGS);
    const namespace = "agents";
    await cluster.create(aNamespaceManifest(namespace), ...theReferences(namespace));
    const followed = await follow(cluster, namespace);
    const started = performance.now();
    const [made] = await Promise.all([
      followed.complete(APPLIED, started),
      createAgents(cluster, namespace, 0, APPLIED),
    ]);
    const objects = followed.objects();
    await followed.stop();
    await operator.stop();

    const all = await createBare(cluster, "floor-all", objects, RATE);
    const fewer = await createBare(
      cluster,
      "floor-fewer",
      objects.filter(({ type }) => type !== CONFIG_MAPS),
      RATE,
    );
    return [
      compare("ConfigMaps, Deployments and Services", made.all, all, TARGET_RATIO),
      // The operator makes the ConfigMaps meanwhile, which are not in this floor.
      compare("Deployments and Services", made.withoutConfigMaps, fewer),
    ];
  } finally {
    await cluster.stop();
  }
}

function compare(what: string, ms: number, floorMs: number, target?: number): Measurement {
  const ratio = ms / floorMs;
  return {
    what: `${APPLIED} AgentRuntimes applied at once, until the last is there of their ${what}`,
    measured: `${(ms / 1000).toFixed(1)} s at ${RATE.perSecond} requests/s`,
    floor: `${(floorMs / 1000).toFixed(1)} s (a bare client that creates the same)`,
    result: `${ratio.toFixed(2)} times the floor`,
    target: target === undefined ? "none" : `≤ ${target}`,
    withinTarget: ratio <= (target ?? Infinity),
  };
}

async function measureKept(): Promise<Measurement[]> {
  const cluster = await KubeCluster.start({ givesFiles: false });
  await using bare = await MeasuredProcess.start("bare-process.mjs");
  try {
    const fast = ["--kube-api-qps=500", "--kube-api-burst=500", "--resync", RESYNC];
    const operator = await startOperator(cluster, fast);
    const namespace = "agents";
    await cluster.create(aNamespaceManifest(namespace), ...theReferences(namespace));

    await createAgents(cluster, namespace, 0, IDLE);
    await allRunning(cluster, namespace, IDLE);
    const since = await quiet(cluster);
    await delay(IDLE_MS);
    const writes = await cluster.audit.writes({ by: OPERATOR_USER, since });
    const idle: Measurement = {
      what: `Writes in ${IDLE_MS / 1000} s for ${IDLE} AgentRuntimes that do not change, all looked at again every ${RESYNC}`,
      measured: `${writes.length} writes${writes.length > 0 ? `, like ${writes[0]?.verb} ${writes[0]?.what}` : ""}`,
      floor: "0",
      result: `${writes.length}`,
      target: "0",
      withinTarget: writes.length === 0,
    };

    await createAgents(cluster, namespace, IDLE, KEPT);
    await allRunning(cluster, namespace, KEPT);
    await quiet(cluster);
    const { residentMegabytes, peakMegabytes } = await memoryOf(operator.pid);
    const floor = await bare.residentMegabytes();
    await operator.stop();
    const memory: Measurement = {
      what: `Resident memory of the operator at ${KEPT} AgentRuntimes`,
      measured: `${residentMegabytes.toFixed(1)} MB (at its highest ${peakMegabytes.toFixed(1)} MB)`,
      floor: `${floor.toFixed(1)} MB (bare node)`,
      result: `${residentMegabytes.toFixed(1)} MB, ${(residentMegabytes / floor).toFixed(2)} times the floor`,
      target: `< ${TARGET_MEGABYTES} MB`,
      withinTarget: residentMegabytes < TARGET_MEGABYTES,
    };
    return [idle, memory];
  } finally {
    await cluster.stop();
  }
}
