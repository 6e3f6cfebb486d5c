/**
 * The control plane in a cluster as one process: caches for everything that the operator reads, the controllers while this process
 * leads, and the management port.
 */
import { randomUUID } from "node:crypto";
import type { KubeConfig } from "@kubernetes/client-node";
import { KubeClient, type KubeClientOptions } from "../kube/client/client.ts";
import { RateLimiter } from "../kube/client/rate-limiter.ts";
import { createTransport, type Transport } from "../kube/client/transport.ts";
import {
  type LeaderElectionOptions,
  LeaseLostError,
  runAsLeader,
} from "../kube/controller/leader-election.ts";
import { WorkQueue } from "../kube/controller/work-queue.ts";
import type { Log } from "../observability/log.ts";
import { Management } from "../observability/management.ts";
import { createMetrics } from "../observability/metrics.ts";
import type { Backoff } from "../time/backoff.ts";
import type { Clock } from "../time/clock.ts";
import { untilAborted } from "../time/until-aborted.ts";
import {
  createCaches,
  type OperatorCaches,
  watchCluster,
  type Watching,
} from "./cluster/caches.ts";
import { loadConfigSigner } from "./cluster/config-signer.ts";
import { loadGatewayKeys } from "./cluster/gateway-keys.ts";
import { looksAfterText } from "./claims/other-operators.ts";
import {
  HOLDER_POD_ANNOTATION,
  LEASE_NAME,
  LOOKS_AFTER_ANNOTATION,
  OPERATOR,
} from "./cluster/labels.ts";
import type { ControllerSettings, OperatorSettings } from "./cluster/operator-context.ts";
import { createOperator } from "./operator.ts";
import { createOperatorMetrics, type OperatorMetrics } from "./operator-metrics.ts";

/** The lease is renewed by a client with connections of its own, so that renewals do not queue behind the work. */
const LEASE_REQUESTS_PER_SECOND = 5;

export interface OperatorOptions {
  readonly kubeConfig: KubeConfig;
  readonly settings: OperatorSettings;
  /** `undefined`: this process leads, whichever others run. */
  readonly leaseNamespace: string | undefined;
  /** Where the operator keeps what is its own: the key that signs agent configs, and the one of the gateways. */
  readonly ownNamespace: string;
  /** Whether agents are to believe gateways, whose key is made where there is none. */
  readonly hasGateway: boolean;
  /** The name of this process among others, such as that of its pod. */
  readonly instance: string;
  /** The pod that this process runs in, when that is in the namespace of the lease. */
  readonly pod?: { readonly name: string; readonly uid: string } | undefined;
  readonly requestsPerSecond: number;
  readonly burst: number;
  readonly workers: number;
  readonly resyncMs: number;
  readonly managementPort: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** What lasts as long as the process, while the controllers are made again each time that it leads. */
interface Standing {
  readonly options: OperatorOptions;
  readonly metrics: OperatorMetrics;
  readonly caches: OperatorCaches;
  readonly watching: Watching;
}

/** Runs until the signal is aborted. A process that loses the lease goes on watching and waits for the lease again. */
export async function runOperator(options: OperatorOptions, signal: AbortSignal): Promise<void> {
  const { kubeConfig, clock, random, log, settings, leaseNamespace } = options;
  const server = kubeConfig.getCurrentCluster()?.server ?? "";
  const registry = createMetrics({ processMetrics: true });
  const metrics = createOperatorMetrics(registry, LEASE_NAME, new URL(server).host);
  const transport = createTransport(kubeConfig, clock);
  const leaseTransport = createTransport(kubeConfig, clock);
  const clientWith = (
    transport: Transport,
    perSecond: number,
    burst: number,
    repeating?: KubeClientOptions["repeating"],
  ): KubeClient =>
    new KubeClient({
      transport,
      rateLimiter: new RateLimiter({ clock, perSecond, burst }),
      fieldManager: OPERATOR,
      clock,
      repeating,
      onResponse: (response) => metrics.responded(response),
    });
  const client = clientWith(transport, options.requestsPerSecond, options.burst, { random });
  const caches = createCaches();
  const watching = watchCluster({
    caches,
    client,
    namespaces: settings.namespaces,
    watchesSecrets: settings.secrets === "watch",
    clock,
    random,
    onError: (type, error) =>
      log.warn({ kind: type.kind, error }, "A watch failed; it is tried again"),
  });
  const management = new Management({
    metrics: registry,
    reasons: async () =>
      watching.isSynced()
        ? []
        : [{ message: "the API server has not told yet of everything that is watched" }],
  });

  const ending = new AbortController();
  const watches = watching.run(AbortSignal.any([signal, ending.signal]));
  try {
    const port = await management.listen(options.managementPort);
    log.info(
      { server, namespaces: settings.namespaces, managementPort: port },
      "The operator runs",
    );
    const standing: Standing = { options, metrics, caches, watching };
    if (leaseNamespace === undefined) {
      await lead(standing, client, signal);
    } else {
      const rate = LEASE_REQUESTS_PER_SECOND;
      const leaseClient = clientWith(leaseTransport, rate, rate);
      await leadWheneverElected(standing, { leaseNamespace, leaseClient, client }, signal);
    }
  } finally {
    ending.abort();
    await watches;
    await management.close();
    transport.close();
    leaseTransport.close();
  }
}

/** Every write goes through a client that checks that this process still leads. */
async function leadWheneverElected(
  standing: Standing,
  by: { leaseNamespace: string; leaseClient: KubeClient; client: KubeClient },
  signal: AbortSignal,
): Promise<void> {
  const { instance, pod, settings, clock, random, log } = standing.options;
  const election: LeaderElectionOptions = {
    client: by.leaseClient,
    namespace: by.leaseNamespace,
    name: LEASE_NAME,
    identity: `${instance}_${randomUUID()}`,
    pods: { annotation: HOLDER_POD_ANNOTATION, own: pod },
    annotations: { [LOOKS_AFTER_ANNOTATION]: looksAfterText(settings.namespaces) },
    clock,
    random,
    onError: (error) =>
      log.warn({ error }, "The lease could not be had or renewed; it is tried again"),
  };
  while (!signal.aborted) {
    try {
      await runAsLeader(
        election,
        (leading, leadership) => {
          const writer = by.client.fencedBy(() => leadership.assertHeld());
          return lead(standing, writer, leading);
        },
        signal,
      );
    } catch (error) {
      if (!(error instanceof LeaseLostError)) throw error;
      log.warn({}, "The lease was lost: this process stands by");
    }
  }
}

/** Runs the controllers, once the caches are filled, until the signal is aborted. */
async function lead(standing: Standing, client: KubeClient, signal: AbortSignal): Promise<void> {
  const { options, metrics, caches, watching } = standing;
  const { clock, log, settings, instance } = options;
  metrics.setLeading(true);
  log.info({}, "This process leads");
  try {
    if (!(await isSyncedBefore(signal, watching))) return;
    const signer = await loadConfigSigner(client, options.ownNamespace, signal);
    const gatewayKeys = options.hasGateway
      ? await loadGatewayKeys(client, options.ownNamespace, signal)
      : undefined;
    const operator = createOperator({
      client,
      caches,
      clock,
      log,
      settings,
      signer,
      gatewayKeys,
      instance,
      ownNamespace: options.ownNamespace,
      hasLease: options.leaseNamespace !== undefined,
      random: options.random,
      controllerSettings: (controller, backoff) =>
        settingsOf({ controller, backoff }, options, metrics),
    });
    metrics.observe({
      controllers: operator.controllers,
      abortedPacks: function* () {
        for (const { metadata, status } of caches.promptPacks.all()) {
          if (status?.abortedVersion !== undefined)
            yield { namespace: metadata.namespace ?? "", name: metadata.name };
        }
      },
      agentPhases: () =>
        Iterator.from(caches.agentRuntimes.all()).map(({ status }) => status?.phase),
    });
    await operator.run(signal);
  } finally {
    metrics.setLeading(false);
    metrics.observe(undefined);
    for (const cache of Object.values(caches)) cache.unsubscribeAll();
  }
}

/** False when the signal is aborted before the caches are filled. */
async function isSyncedBefore(signal: AbortSignal, { synced }: Watching): Promise<boolean> {
  try {
    await untilAborted(synced, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return !signal.aborted;
}

function settingsOf(
  { controller, backoff }: { controller: string; backoff: Backoff | undefined },
  { workers, resyncMs, clock, log }: OperatorOptions,
  metrics: OperatorMetrics,
): ControllerSettings {
  return {
    workers,
    resyncMs,
    queue: new WorkQueue({ clock, backoff, observer: metrics.queueObserver(controller) }),
    onReconciled: ({ key, outcome, seconds, error, retryInMs }) => {
      metrics.reconciled(controller, { outcome, seconds, error });
      if (error === undefined) return;
      const retry = retryInMs === undefined ? "not tried again until it changes" : "tried again";
      log.error({ controller, key, error, retryInMs }, `A reconciliation failed; ${retry}`);
    },
  };
}
