/** What the benches of the operator share: an operator with its agents, and a bare client that creates the same objects. */
import { readFile } from "node:fs/promises";
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
import { type KubeCluster, OPERATOR_USER } from "../test/support/kubernetes/kube-cluster.ts";
import { aNamespaceManifest, anAgentManifest } from "../test/support/builders/manifests.ts";
import { OperatorProcess } from "../test/support/operator/operator-process.ts";

export const PROGRAM = join(import.meta.dirname, "../dist/omnia.js");
/** How many agents the bench itself creates at a time. */
const CONCURRENCY = 32;
const TIMEOUT_MS = 10 * 60_000;

/** Requests to the API server. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

export async function startOperator(
  cluster: KubeCluster,
  flags: string[],
): Promise<OperatorProcess> {
  return OperatorProcess.start({
    kubeconfig: await cluster.kubeconfigOf(OPERATOR_USER),
    program: PROGRAM,
    flags,
  });
}

export async function createAgents(
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

export interface Made {
  readonly type: ResourceType;
  readonly object: KubernetesObject;
}

/** Follows what the operator makes, and notes when it is complete. */
export async function follow(cluster: KubeCluster, namespace: string) {
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
export async function createBare(
  cluster: KubeCluster,
  namespace: string,
  objects: readonly Made[],
  rate: Rate,
): Promise<number> {
  await cluster.create(aNamespaceManifest(namespace));
  const client = clientOf(cluster, rate);
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const started = performance.now();
  let next = 0;
  const creating = Array.from({ length: CONCURRENCY }, async () => {
    for (let made = objects[next++]; made !== undefined; made = objects[next++]) {
      await client.create(made.type, anew(made.object, namespace), signal);
    }
  });
  await Promise.all(creating);
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

export function clientOf(
  cluster: KubeCluster,
  rate: Rate = { perSecond: 1_000, burst: 1_000 },
): KubeClient {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(cluster.server.kubeconfig);
  return new KubeClient({
    transport: createTransport(kubeConfig),
    rateLimiter: new RateLimiter({ clock: systemClock, ...rate }),
    fieldManager: "bench",
  });
}

export async function allRunning(
  cluster: KubeCluster,
  namespace: string,
  count: number,
): Promise<void> {
  const client = clientOf(cluster);
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  for (;;) {
    const { items } = await client.list<StoredAgentRuntime>(AGENT_RUNTIMES, { namespace, signal });
    if (items.filter(({ status }) => status?.phase === "Running").length >= count) return;
    await delay(1_000);
  }
}

/** Settles when the operator has written nothing for some seconds; answers since when. */
export async function quiet(cluster: KubeCluster): Promise<number> {
  for (;;) {
    const since = Date.now();
    await delay(5_000);
    if ((await cluster.audit.writes({ by: OPERATOR_USER, since })).length === 0) return since;
  }
}

export async function memoryOf(
  pid: number,
): Promise<{ residentMegabytes: number; peakMegabytes: number }> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const megabytes = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1]) / 1024;
  return { residentMegabytes: megabytes("VmRSS"), peakMegabytes: megabytes("VmHWM") };
}

const TICKS_PER_SECOND = 100;

/** The time of the processor that the process has had so far, in milliseconds. */
export async function cpuMsOf(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}
