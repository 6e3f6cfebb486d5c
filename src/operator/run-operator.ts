/**
 * The control plane in a cluster: caches for everything that the operator looks at, the three controllers while this process
 * leads, and the management port.
 */
import { randomUUID } from "node:crypto";
import type { KubeConfig } from "@kubernetes/client-node";
import { GROUP } from "../api/group.ts";
import { KubeClient, type KubeClientOptions } from "../kube/client/client.ts";
import type { Controller } from "../kube/controller/controller.ts";
import { EventRecorder } from "../kube/events.ts";
import {
  type LeaderElectionOptions,
  LeaseLostError,
  runAsLeader,
} from "../kube/controller/leader-election.ts";
import { RateLimiter } from "../kube/client/rate-limiter.ts";
import { createTransport } from "../kube/client/transport.ts";
import { WorkQueue } from "../kube/controller/work-queue.ts";
import type { Clock } from "../time/clock.ts";
import type { Log } from "../observability/log.ts";
import { Management } from "../observability/management.ts";
import { createMetrics } from "../observability/metrics.ts";
import { createAgentRuntimeController } from "./agent-runtime/controller.ts";
import { LEASE_NAME, OPERATOR } from "./cluster/labels.ts";
import { createCaches, watchCluster } from "./cluster/caches.ts";
import type {
  ControllerSettings,
  OperatorContext,
  OperatorSettings,
} from "./cluster/operator-context.ts";
import { createOperatorMetrics, type OperatorMetrics } from "./operator-metrics.ts";
import { createPromptPacks } from "./prompt-pack/controller.ts";
import { createToolRegistries } from "./tool-registry/controller.ts";

/** Renewals of the lease do not queue behind the work. */
const LEASE_REQUESTS_PER_SECOND = 5;

export interface OperatorOptions {
  readonly kubeConfig: KubeConfig;
  readonly settings: OperatorSettings;
  /** `undefined`: this process leads whoever else runs. */
  readonly leaseNamespace: string | undefined;
  /** Name of this process among others, such as its pod. */
  readonly instance: string;
  readonly requestsPerSecond: number;
  readonly burst: number;
  readonly workers: number;
  readonly resyncMs: number;
  readonly managementPort: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** Runs until the signal is aborted. A process that loses the lease stands by and goes on watching. */
export async function runOperator(options: OperatorOptions, signal: AbortSignal): Promise<void> {
  const { kubeConfig, clock, random, log, settings } = options;
  const server = kubeConfig.getCurrentCluster()?.server ?? "";
  const registry = createMetrics({ processMetrics: true });
  const metrics = createOperatorMetrics(registry, LEASE_NAME, new URL(server).host);
  const transport = createTransport(kubeConfig);
  const clientWith = (
    perSecond: number,
    burst: number,
    repeating: Pick<KubeClientOptions, "repeating"> = {},
  ): KubeClient =>
    new KubeClient({
      transport,
      rateLimiter: new RateLimiter({ clock, perSecond, burst }),
      fieldManager: OPERATOR,
      ...repeating,
      onResponse: (response) => metrics.responded(response),
    });
  const client = clientWith(options.requestsPerSecond, options.burst, {
    repeating: { clock, random },
  });
  const caches = createCaches();
  const watching = watchCluster({
    caches,
    client,
    namespaces: settings.namespaces,
    clock,
    random,
    onError: (type, error) =>
      log.warn({ kind: type.kind, error }, "A watch failed; it is tried again"),
  });
  const management = new Management({
    metrics: registry,
    reasons: async () =>
      watching.isSynced() ? [] : ["the API server has not told yet of everything that is watched"],
  });

  const ending = new AbortController();
  const ended = AbortSignal.any([signal, ending.signal]);
  const watches = watching.run(ended);
  try {
    const port = await management.listen(options.managementPort);
    log.info(
      { server, namespaces: settings.namespaces, managementPort: port },
      "The operator runs",
    );
    const lead = async (leading: AbortSignal, writer: KubeClient): Promise<void> => {
      metrics.setLeading(true);
      log.info({}, "This process leads");
      try {
        await untilAborted(watching.synced, leading);
        const context = {
          client: writer,
          caches,
          events: eventRecorder(options, writer.givingWay()),
          clock,
          log,
          settings,
        };
        if (!leading.aborted) await runControllers(context, options, metrics, leading);
      } finally {
        metrics.setLeading(false);
        metrics.observe([]);
        for (const cache of Object.values(caches)) cache.unsubscribeAll();
      }
    };
    const { leaseNamespace } = options;
    if (leaseNamespace === undefined) {
      await lead(signal, client);
      return;
    }
    const election: LeaderElectionOptions = {
      client: clientWith(LEASE_REQUESTS_PER_SECOND, LEASE_REQUESTS_PER_SECOND),
      namespace: leaseNamespace,
      name: LEASE_NAME,
      identity: `${options.instance}_${randomUUID()}`,
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
            const check = (): void => leadership.assertHeld();
            return lead(leading, client.fencedBy(check));
          },
          signal,
        );
      } catch (error) {
        if (!(error instanceof LeaseLostError)) throw error;
        log.warn({}, "The lease was lost: this process stands by");
      }
    }
  } finally {
    ending.abort();
    await watches;
    await management.close();
    transport.close();
  }
}

async function runControllers(
  context: OperatorContext,
  options: OperatorOptions,
  metrics: OperatorMetrics,
  signal: AbortSignal,
): Promise<void> {
  const settingsOf = (controller: string): ControllerSettings => ({
    workers: options.workers,
    resyncMs: options.resyncMs,
    queue: new WorkQueue({ clock: options.clock, observer: metrics.queueObserver(controller) }),
    onReconciled: ({ key, outcome, seconds, error, retryInMs }) => {
      metrics.reconciled(controller, outcome, seconds);
      if (error === undefined) return;
      const retry = retryInMs === undefined ? "not tried again until it changes" : "tried again";
      context.log.error({ controller, key, error, retryInMs }, `A reconciliation failed; ${retry}`);
    },
  });
  const promptPacks = createPromptPacks(context, settingsOf("promptpack"));
  const toolRegistries = createToolRegistries(context, settingsOf("toolregistry"));
  const agentRuntimes = createAgentRuntimeController(
    context,
    { promptPacks: promptPacks.decided, toolRegistries: toolRegistries.decided },
    settingsOf("agentruntime"),
  );
  const controllers: Controller[] = [
    promptPacks.controller,
    toolRegistries.controller,
    agentRuntimes,
  ];
  metrics.observe(controllers);
  await Promise.all([
    ...controllers.map((controller) => controller.run(signal)),
    toolRegistries.run(signal),
  ]);
}

function eventRecorder(
  { clock, log, instance }: OperatorOptions,
  client: KubeClient,
): EventRecorder {
  return new EventRecorder({
    client,
    reportingController: `${GROUP}/operator`,
    reportingInstance: instance,
    clock,
    newName: () => randomUUID().slice(0, 13),
    onError: (error) => log.warn({ error }, "An event could not be written"),
  });
}

/** Resolves when the promise does or the signal is aborted, whichever comes first. */
async function untilAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const aborted = Promise.withResolvers<void>();
  const stop = (): void => aborted.resolve();
  signal.addEventListener("abort", stop, { once: true });
  await Promise.race([promise, aborted.promise]);
  signal.removeEventListener("abort", stop);
}
