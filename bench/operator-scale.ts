/**
 * What the operator costs: the time until 500 AgentRuntimes that are applied at once have their objects, against a bare client that
 * creates the same objects at the same rate limit; its memory at 1,000; and that it writes nothing when nothing changes.
 */
import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { KubeConfig } from "@kubernetes/client-node";
import { Cache } from "../src/kube/watch/cache.ts";
import { KubeClient } from "../src/kube/client/client.ts";
import type { KubernetesObject, ResourceType } from "../src/kube/client/object.ts";
import { RateLimiter } from "../src/kube/client/rate-limiter.ts";
import { Reflector } from "../src/kube/watch/reflector.ts";
import { createTransport } from "../src/kube/client/transport.ts";
import { systemClock } from "../src/time/clock.ts";
import {
  AGENT_RUNTIMES,
  CONFIG_MAPS,
  DEPLOYMENTS,
  SERVICES,
  type StoredAgentRuntime,
} from "../src/operator/cluster/kubernetes-objects.ts";
import { AGENT_LABEL_SELECTOR } from "../src/operator/cluster/labels.ts";
import { KubeCluster, OPERATOR_USER } from "../test/support/kubernetes/kube-cluster.ts";
import {
  aNamespaceManifest,
  anAgentManifest,
  theReferences,
} from "../test/support/builders/manifests.ts";
import { OperatorProcess } from "../test/support/operator/operator-process.ts";
import type { Measurement } from "./bench.ts";
import { MeasuredProcess } from "./measured-process.ts";

const PROGRAM = join(import.meta.dirname, "../dist/omnia.js");
const APPLIED = 500;
const RATE = { perSecond: 50, burst: 100 };
const RATE_FLAGS = [`--kube-api-qps=${RATE.perSecond}`, `--kube-api-burst=${RATE.burst}`];
const TARGET_RATIO = 1.5;
const IDLE = 100;
const IDLE_MS = 60_000;
const RESYNC = "20s";
const KEPT = 1_000;
const TARGET_MEGABYTES = 250;
/** Of what the bench itself creates. */
const CONCURRENCY = 32;
const TIMEOUT_MS = 10 * 60_000;

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

    const all = await createBare(cluster, "floor-all", objects);
    const fewer = await createBare(
      cluster,
      "floor-fewer",
      objects.filter(({ type }) => type !== CONFIG_MAPS),
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

async function startOperator(cluster: KubeCluster, flags: string[]): Promise<OperatorProcess> {
  return OperatorProcess.start({
    kubeconfig: await cluster.kubeconfigOf(OPERATOR_USER),
    program: PROGRAM,
    flags,
  });
}

async function createAgents(
  cluster: KubeCluster,
  namespace: string,
  from: number,
  to: number,
): Promise<void> {
  let next = from;
  const creating = Array.from({ length: CONCURRENCY }, async () => {
    for (let index = next++; index < to; index = next++) {
      await cluster.create(anAgentManifest({ name: `agent-${index}`, namespace }));
    }
  });
  await Promise.all(creating);
}

interface Made {
  readonly type: ResourceType;
  readonly object: KubernetesObject;
}

/** Follows what the operator makes, and notes when it is complete. */
async function follow(cluster: KubeCluster, namespace: string) {
  const client = clientOf(cluster);
  const ending = new AbortController();
  const { signal } = ending;
  const parts = [CONFIG_MAPS, DEPLOYMENTS, SERVICES].map((type) => {
    const cache = new Cache<KubernetesObject>();
    const reflector = new Reflector({
      client,
      type,
      cache,
      namespace,
      labelSelector: AGENT_LABEL_SELECTOR,
      clock: systemClock,
      random: Math.random,
      onError: () => {},
    });
    return { type, cache, reflector, running: reflector.run(signal) };
  });
  await Promise.all(parts.map(({ reflector }) => reflector.synced));

  const reached = async ({ cache }: (typeof parts)[number], count: number): Promise<number> => {
    const full = Promise.withResolvers<void>();
    const timer = setTimeout(
      () => full.reject(new Error(`there are ${cache.size} of ${count}`)),
      TIMEOUT_MS,
    );
    const unsubscribe = cache.subscribe(() => cache.size >= count && full.resolve());
    await full.promise;
    unsubscribe();
    clearTimeout(timer);
    return performance.now();
  };
  return {
    /** Milliseconds from `started` until there were so many of each. */
    async complete(count: number, started: number) {
      const [configMaps = 0, ...others] = await Promise.all(
        parts.map((part) => reached(part, count)),
      );
      const withoutConfigMaps = Math.max(...others) - started;
      return { withoutConfigMaps, all: Math.max(configMaps - started, withoutConfigMaps) };
    },
    objects: (): Made[] =>
      parts.flatMap(({ type, cache }) => [...cache.all()].map((object) => ({ type, object }))),
    async stop() {
      ending.abort();
      await Promise.all(parts.map(({ running }) => running));
    },
  };
}

/** Creates the same objects in another namespace. Answers how many milliseconds that took. */
async function createBare(
  cluster: KubeCluster,
  namespace: string,
  objects: readonly Made[],
): Promise<number> {
  await cluster.create(aNamespaceManifest(namespace));
  const client = clientOf(cluster, RATE);
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const started = performance.now();
  await Promise.all(
    objects.map(({ type, object }) => client.create(type, anew(object, namespace), signal)),
  );
  return performance.now() - started;
}

/** What a client would have sent to get this object. */
function anew(object: KubernetesObject, namespace: string): KubernetesObject {
  const { name, labels = {}, annotations = {} } = object.metadata;
  const { status: _status, ...made } = object as KubernetesObject & { status?: unknown };
  const { spec } = made as { spec?: Record<string, unknown> };
  const { clusterIP: _ip, clusterIPs: _ips, ...rest } = spec ?? {};
  return {
    ...made,
    ...(spec === undefined ? {} : { spec: rest }),
    metadata: { name, namespace, labels, annotations },
  };
}

function clientOf(
  cluster: KubeCluster,
  rate: { perSecond: number; burst: number } = { perSecond: 1_000, burst: 1_000 },
): KubeClient {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(cluster.server.kubeconfig);
  return new KubeClient({
    transport: createTransport(kubeConfig),
    rateLimiter: new RateLimiter({ clock: systemClock, ...rate }),
    fieldManager: "bench",
  });
}

async function allRunning(cluster: KubeCluster, namespace: string, count: number): Promise<void> {
  const client = clientOf(cluster);
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  for (;;) {
    const { items } = await client.list<StoredAgentRuntime>(AGENT_RUNTIMES, { namespace, signal });
    if (items.filter(({ status }) => status?.phase === "Running").length >= count) return;
    await delay(1_000);
  }
}

/** Settles when the operator has written nothing for some seconds; answers since when. */
async function quiet(cluster: KubeCluster): Promise<number> {
  for (;;) {
    const since = Date.now();
    await delay(5_000);
    if ((await cluster.audit.writes({ by: OPERATOR_USER, since })).length === 0) return since;
  }
}

async function memoryOf(
  pid: number,
): Promise<{ residentMegabytes: number; peakMegabytes: number }> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const megabytes = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1]) / 1024;
  return { residentMegabytes: megabytes("VmRSS"), peakMegabytes: megabytes("VmHWM") };
}
