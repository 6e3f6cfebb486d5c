/** The caches of an operator and the controllers of packs and registries, in this process: for an API server of a test. */
import { randomUUID } from "node:crypto";
import { KubeConfig } from "@kubernetes/client-node";
import { KubeClient } from "../../../src/kube/client/client.ts";
import type { ReconcileOutcome } from "../../../src/kube/controller/controller.ts";
import { EventRecorder } from "../../../src/kube/events.ts";
import { RateLimiter } from "../../../src/kube/client/rate-limiter.ts";
import { createTransport } from "../../../src/kube/client/transport.ts";
import { systemClock } from "../../../src/time/clock.ts";
import { createLog } from "../../../src/observability/log.ts";
import { createCaches, watchCluster } from "../../../src/operator/cluster/caches.ts";
import type {
  DecidedPromptPacks,
  DecidedToolRegistries,
  OperatorContext,
} from "../../../src/operator/cluster/operator-context.ts";
import { createPromptPacks } from "../../../src/operator/prompt-pack/controller.ts";
import { createToolRegistries } from "../../../src/operator/tool-registry/controller.ts";
import { type KubeCluster, OPERATOR_USER } from "../kubernetes/kube-cluster.ts";

/** Tests are not to wait for the limit on requests, nor for the next look at a tool. */
const REQUESTS_PER_SECOND = 1_000;
const PROBE_INTERVAL_MS = 100;

interface Reconciled {
  readonly key: string;
  readonly outcome: ReconcileOutcome;
  readonly error?: unknown;
}

export class OperatorInProcess {
  readonly context: OperatorContext;
  readonly promptPacks: DecidedPromptPacks;
  readonly toolRegistries: DecidedToolRegistries;
  /** Keys that those were told of who refer to packs and registries, in order. */
  readonly told: string[] = [];
  readonly reconciled: Reconciled[] = [];
  readonly #ending = new AbortController();
  readonly #running: Promise<unknown>;
  /** Every object is looked at again. */
  readonly resync: () => void;

  private constructor(
    context: OperatorContext,
    watches: Promise<void>,
    ending: AbortController,
    close: () => void,
  ) {
    this.context = context;
    this.#ending = ending;
    const settings = { onReconciled: (done: Reconciled) => this.reconciled.push(done) };
    const packs = createPromptPacks(context, settings);
    const registries = createToolRegistries(context, {
      ...settings,
      probeIntervalMs: PROBE_INTERVAL_MS,
    });
    this.promptPacks = packs.decided;
    this.toolRegistries = registries.decided;
    for (const decided of [packs.decided, registries.decided]) {
      decided.subscribe((key) => this.told.push(key));
    }
    this.resync = () => {
      const { promptPacks, toolRegistries } = context.caches;
      for (const [controller, cache] of [
        [packs.controller, promptPacks],
        [registries.controller, toolRegistries],
      ] as const) {
        for (const { metadata } of cache.all()) {
          controller.queue.add(`${metadata.namespace}/${metadata.name}`);
        }
      }
    };
    const { signal } = ending;
    this.#running = Promise.all([
      watches,
      packs.controller.run(signal),
      registries.controller.run(signal),
      registries.run(signal),
    ]).finally(close);
  }

  static async start(cluster: KubeCluster): Promise<OperatorInProcess> {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(await cluster.kubeconfigOf(OPERATOR_USER));
    const transport = createTransport(kubeConfig);
    const client = new KubeClient({
      transport,
      rateLimiter: new RateLimiter({
        clock: systemClock,
        perSecond: REQUESTS_PER_SECOND,
        burst: REQUESTS_PER_SECOND,
      }),
      fieldManager: OPERATOR_USER,
    });
    const caches = createCaches();
    const ending = new AbortController();
    const watching = watchCluster({
      caches,
      client,
      namespaces: [],
      clock: systemClock,
      random: Math.random,
      onError: () => {},
    });
    const watches = watching.run(ending.signal);
    await watching.synced;
    const events = new EventRecorder({
      client,
      reportingController: "omnia.altairalabs.ai/operator",
      reportingInstance: "test",
      clock: systemClock,
      newName: () => randomUUID().slice(0, 13),
      onError: () => {},
    });
    const context: OperatorContext = {
      client,
      caches,
      events,
      clock: systemClock,
      log: createLog({ level: "silent" }),
      settings: {
        agentImage: "agent:test",
        agentImagePullPolicy: undefined,
        namespaces: [],
      },
    };
    return new OperatorInProcess(context, watches, ending, () => transport.close());
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }
}
