/** An operator in the process of a test, for an API server of the test. AgentRuntimes are only reconciled if the test says so. */
import { aConfigSigner } from "../builders/a-config-signer.ts";
import { DEFAULT_TRUST_POLICY } from "../../../src/control/trust-policy.ts";
import { KubeConfig } from "@kubernetes/client-node";
import { KubeClient } from "../../../src/kube/client/client.ts";
import { RateLimiter } from "../../../src/kube/client/rate-limiter.ts";
import { createTransport } from "../../../src/kube/client/transport.ts";
import type { Controller, ReconcileOutcome } from "../../../src/kube/controller/controller.ts";
import { createLog } from "../../../src/observability/log.ts";
import {
  createCaches,
  type OperatorCaches,
  watchCluster,
} from "../../../src/operator/cluster/caches.ts";
import type {
  DecidedPromptPacks,
  DecidedToolRegistries,
  SecretAccess,
} from "../../../src/operator/cluster/operator-context.ts";
import type { AgentNetworkPolicy } from "../../../src/operator/cluster/agent-network-policy.ts";
import type { AskReplica } from "../../../src/operator/agent-runtime/pods/replica-reports.ts";
import type { AskCanary } from "../../../src/probes/canary-probes.ts";
import { createOperator, type Operator } from "../../../src/operator/operator.ts";
import { systemClock } from "../../../src/time/clock.ts";
import { type KubeCluster, OPERATOR_USER } from "../kubernetes/kube-cluster.ts";

/** With these, tests wait neither for the limit on requests nor for the next probe of a tool. */
const REQUESTS_PER_SECOND = 1_000;
const PROBE_INTERVAL_MS = 100;
const LIST_INTERVAL_MS = 200;
const SECRET_REREAD_MS = 200;

interface Reconciled {
  readonly key: string;
  readonly outcome: ReconcileOutcome;
  readonly error?: unknown;
}

interface Options {
  /** The caches that the controllers see, in place of those that the watches fill. */
  readonly seenAs?: (caches: OperatorCaches) => OperatorCaches;
  readonly runsAgents?: boolean;
  readonly secrets?: SecretAccess;
  readonly networkPolicy?: AgentNetworkPolicy;
  readonly prometheusAddress?: string;
  /** What the pods of the simulated kubelet say of themselves: nothing listens at their addresses. */
  readonly askReplica?: AskReplica;
  readonly askCanary?: AskCanary;
  /** @default OPERATOR_USER */
  readonly user?: string;
}

export class OperatorInProcess {
  readonly caches: OperatorCaches;
  readonly agentRuntimes: Controller;
  readonly promptPacks: DecidedPromptPacks;
  readonly toolRegistries: DecidedToolRegistries;
  /** The keys of packs and registries whose changes were announced to those that refer to them, in order. */
  readonly told: string[] = [];
  readonly reconciled: Reconciled[];
  readonly #operator: Operator;
  readonly #ending: AbortController;
  readonly #running: Promise<unknown>;

  private constructor(
    operator: Operator,
    facts: {
      caches: OperatorCaches;
      reconciled: Reconciled[];
      watches: Promise<void>;
      ending: AbortController;
      runsAgents: boolean;
      close: () => void;
    },
  ) {
    const { promptPacks, toolRegistries, agentRuntimes } = operator;
    const { signal } = facts.ending;
    this.#operator = operator;
    this.#ending = facts.ending;
    this.caches = facts.caches;
    this.reconciled = facts.reconciled;
    this.agentRuntimes = agentRuntimes;
    this.promptPacks = promptPacks.decided;
    this.toolRegistries = toolRegistries.decided;
    for (const decided of [this.promptPacks, this.toolRegistries]) {
      decided.subscribe((key) => this.told.push(key));
    }
    const working = facts.runsAgents
      ? [operator.run(signal)]
      : [
          promptPacks.controller.run(signal),
          promptPacks.run(signal),
          toolRegistries.controller.run(signal),
          toolRegistries.run(signal),
        ];
    this.#running = Promise.all([facts.watches, ...working]).finally(facts.close);
  }

  static async start(
    cluster: KubeCluster,
    {
      seenAs = (caches) => caches,
      runsAgents = false,
      secrets = "watch",
      networkPolicy,
      prometheusAddress,
      askReplica,
      askCanary,
      user = OPERATOR_USER,
    }: Options = {},
  ): Promise<OperatorInProcess> {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(await cluster.kubeconfigOf(user));
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
    const watched = createCaches();
    const ending = new AbortController();
    const watching = watchCluster({
      caches: watched,
      client,
      namespaces: [],
      watchesSecrets: secrets === "watch",
      clock: systemClock,
      random: Math.random,
      onError: () => {},
    });
    const watches = watching.run(ending.signal);
    await watching.synced;
    const caches = seenAs(watched);
    const reconciled: Reconciled[] = [];
    const operator = createOperator({
      client,
      caches,
      clock: systemClock,
      log: createLog({ level: "silent" }),
      settings: {
        agentImage: "agent:test",
        agentImagePullPolicy: undefined,
        namespaces: [],
        // The tools of tests listen on this machine.
        policy: { ...DEFAULT_TRUST_POLICY, allowedToolNetworks: ["127.0.0.0/8"] },
        secrets,
        networkPolicy,
        prometheusAddress,
      },
      signer: aConfigSigner(),
      askReplica,
      askCanary,
      random: Math.random,
      instance: "test",
      ownNamespace: "default",
      hasLease: false,
      controllerSettings: () => ({ onReconciled: (done) => reconciled.push(done) }),
      probeIntervalMs: PROBE_INTERVAL_MS,
      listIntervalMs: LIST_INTERVAL_MS,
      secretRereadMs: SECRET_REREAD_MS,
    });
    const close = (): void => transport.close();
    return new OperatorInProcess(operator, {
      caches,
      reconciled,
      watches,
      ending,
      runsAgents,
      close,
    });
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** Reconciles every pack and every registry again. */
  resync(): void {
    const { promptPacks, toolRegistries } = this.#operator;
    for (const [controller, cache] of [
      [promptPacks.controller, this.caches.promptPacks],
      [toolRegistries.controller, this.caches.toolRegistries],
    ] as const) {
      for (const { metadata } of cache.all()) {
        controller.queue.add(`${metadata.namespace}/${metadata.name}`);
      }
    }
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }
}
