/**
 * An operator in the process of a test that runs as `omnia operator` does, with a namespace to watch, a namespace of its own, and an
 * agent to work on. It tells which of its rights it used, and which it lacked.
 */
import { Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { KubeConfig } from "@kubernetes/client-node";
import { MANAGED_BY_ANNOTATION } from "../../../src/api/group.ts";
import { DEFAULT_TRUST_POLICY } from "../../../src/control/trust-policy.ts";
import { createLog } from "../../../src/observability/log.ts";
import { agentNetworkPolicySchema } from "../../../src/operator/cluster/agent-network-policy.ts";
import { HOLDER_POD_ANNOTATION, LEASE_NAME } from "../../../src/operator/cluster/labels.ts";
import { runOperator } from "../../../src/operator/run-operator.ts";
import { systemClock } from "../../../src/time/clock.ts";
import {
  anAgentManifest,
  aNamespaceManifest,
  aPackManifest,
  theReferences,
} from "../builders/manifests.ts";
import type { KubeCluster, KubeObject } from "../kubernetes/kube-cluster.ts";
import { AgentInCluster } from "./agent-in-cluster.ts";
import { permitOperator } from "./operator-permissions.ts";
import { nameOf, type OperatorRight } from "./operator-rights.ts";

const STEP_TIMEOUT_MS = 90_000;
const POLL_MS = 25;

const RENEWAL = { scope: "own", verb: "update", resource: "coordination.k8s.io/leases" } as const;

export class OperatorAtWork {
  readonly user: string;
  readonly namespace: string;
  readonly own: string;
  readonly agent: AgentInCluster;
  readonly #cluster: KubeCluster;
  readonly #watchesAll: boolean;
  /** What the operator said in its log, or ended with. */
  said = "";
  /** The number of requests that its user had made before. */
  #before: number | undefined;
  #ending = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  constructor(cluster: KubeCluster, user: string, name: string, watchesAll = false) {
    this.#cluster = cluster;
    this.user = user;
    this.namespace = name;
    this.own = `${name}-own`;
    this.agent = new AgentInCluster(this.#cluster, this.#at("support"));
    this.#watchesAll = watchesAll;
  }

  #at(name: string): { name: string; namespace: string } {
    return { name, namespace: this.namespace };
  }

  async prepare(without?: OperatorRight): Promise<void> {
    await this.#cluster.create(aNamespaceManifest(this.namespace), aNamespaceManifest(this.own));
    await permitOperator(this.#cluster.server, this.user, {
      namespaces: this.#watchesAll ? undefined : [this.namespace],
      ownNamespace: this.own,
      without,
    });
  }

  async start(
    options: { makesNetworkPolicies?: boolean; hasGateway?: boolean } = {},
  ): Promise<void> {
    const { makesNetworkPolicies = true, hasGateway = false } = options;
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(await this.#cluster.kubeconfigOf(this.user));
    const destination = new Writable({
      write: (line: Buffer, _, done) => {
        this.said += line.toString();
        done();
      },
    });
    this.#before ??= (await this.#cluster.audit.requests(this.user)).length;
    this.#ending = new AbortController();
    const running = runOperator(
      {
        kubeConfig,
        settings: {
          agentImage: "agent:test",
          agentImagePullPolicy: undefined,
          namespaces: this.#watchesAll ? [] : [this.namespace],
          // The tools of tests listen on this machine.
          policy: { ...DEFAULT_TRUST_POLICY, allowedToolNetworks: ["127.0.0.0/8"] },
          secrets: "watch",
          networkPolicy: makesNetworkPolicies ? agentNetworkPolicySchema.parse({}) : undefined,
        },
        leaseNamespace: this.own,
        ownNamespace: this.own,
        hasGateway,
        instance: this.user,
        requestsPerSecond: 1_000,
        burst: 1_000,
        workers: 4,
        resyncMs: 60_000,
        managementPort: 0,
        clock: systemClock,
        random: Math.random,
        log: createLog({ level: "warn", destination }),
      },
      this.#ending.signal,
    );
    this.#running = running.catch((error: unknown) => {
      this.said += String(error);
    });
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  /** Waits for what the operator brings about. False: the operator is refused a request first. */
  async until(isDone: () => Promise<boolean>): Promise<boolean> {
    const deadline = performance.now() + STEP_TIMEOUT_MS;
    for (;;) {
      if ((await this.refused()).length > 0) return false;
      if (await isDone()) return true;
      if (performance.now() > deadline)
        throw new Error(`it takes too long: ${String(isDone)}\n${this.said}`);
      await delay(POLL_MS);
    }
  }

  /** The rights that it used, or would have used. */
  async used(isRefused = false): Promise<string[]> {
    const all = await this.#cluster.audit.requests(this.user);
    const names = all
      .slice(this.#before)
      .filter(({ status }) => (status === 403) === isRefused)
      .map(({ verb, resource, namespace }) => {
        const isOfCluster =
          resource === "/namespaces" || (resource.endsWith("/leases") && namespace !== this.own);
        const scope = isOfCluster ? "cluster" : namespace === this.own ? "own" : "watched";
        return nameOf({ scope, verb, resource });
      });
    return [...new Set(names)];
  }

  /** The log of the operator, or the error that ended it, and the status of its agent. */
  async saidToPeople(): Promise<string> {
    return this.said + JSON.stringify((await this.#cluster.get(this.agent.runtime)) ?? {});
  }

  refused(): Promise<string[]> {
    return this.used(true);
  }

  async #isThere(object: KubeObject): Promise<boolean> {
    return (await this.#cluster.get(object)) !== undefined;
  }

  /** Whether the object is there and holds the text. */
  async #holds(object: KubeObject, text: string | RegExp): Promise<boolean> {
    const found = JSON.stringify((await this.#cluster.get(object)) ?? {});
    return typeof text === "string" ? found.includes(text) : text.test(found);
  }

  async #all(objects: readonly KubeObject[], is: (one: KubeObject) => Promise<boolean>) {
    return (await Promise.all(objects.map(is))).every(Boolean);
  }

  get #children(): KubeObject[] {
    return [...this.agent.children, this.agent.networkPolicy];
  }

  /** What the operator works at, in order. Each part begins after `make` and says what it needs of the operator. */
  readonly parts: Record<string, () => Promise<unknown>> = {
    make: async () => {
      const references = theReferences(this.namespace);
      await this.#cluster.create(
        ...references,
        anAgentManifest(this.#at("support"), { replicas: 2 }),
      );
      const resources = references.filter(({ kind }) => /^(PromptPack|ToolRegistry)$/.test(kind));
      await this.until(async () => {
        const isSeen = (one: KubeObject) => this.#holds(one, '"observedGeneration"');
        return (
          (await this.#all(this.#children, (one) => this.#isThere(one))) &&
          (await this.used()).includes("create events.k8s.io/events") &&
          (await this.#all([...resources, this.agent.runtime], isSeen))
        );
      });
    },
    renew: () => this.until(async () => (await this.used()).includes(nameOf(RENEWAL))),
    mend: async () => {
      const { config, deployment, service, disruptionBudget, networkPolicy } = this.agent;
      const marks: [KubeObject, object][] = [
        [config, { data: { "agent.json": "drifted" } }],
        [deployment, { spec: { template: { spec: { terminationGracePeriodSeconds: 4321 } } } }],
        [service, { spec: { selector: { app: "drifted" } } }],
        [disruptionBudget, { spec: { selector: { matchLabels: { app: "drifted" } } } }],
        [networkPolicy, { spec: { podSelector: { matchLabels: { app: "drifted" } } } }],
      ];
      for (const [object, patch] of marks) await this.#cluster.patch(object, patch);
      await this.until(() =>
        this.#all(this.#children, async (one) => !(await this.#holds(one, /drifted|4321/))),
      );
    },
    tell: async () => {
      const { metadata } = await this.#cluster.get(this.agent.deployment);
      const pod = {
        kind: "Pod" as const,
        metadata: { ...this.#at("support-pod"), labels: metadata.labels },
        spec: { containers: [{ name: "agent", image: "agent:test" }] },
      };
      await this.#cluster.create(pod);
      const secret: KubeObject = { kind: "Secret", metadata: this.#at("model") };
      await this.#cluster.patch(secret, { stringData: { "api-key": "sk-rotated" } });
      await this.until(() => this.#holds(pod, "files-revision"));
    },
    repeat: async () => {
      const key = (stringData: object) =>
        this.#cluster.patch({ kind: "Secret", metadata: this.#at("model") }, stringData);
      for (let count = 0; count < 2; count++) {
        await key({ data: { "api-key": null } });
        if (!(await this.until(() => this.#holds(this.agent.runtime, "SecretKeyMissing")))) return;
        await key({ stringData: { "api-key": "sk-again" } });
        const isWell = async () => !(await this.#holds(this.agent.runtime, "SecretKeyMissing"));
        if (!(await this.until(isWell))) return;
      }
      await this.until(async () => (await this.used()).includes("patch events.k8s.io/events"));
    },
    prune: async () => {
      const pack: KubeObject = { kind: "PromptPack", metadata: this.#at("prompts") };
      const content = { ...this.#at("prompts-content") };
      const first: string = (await this.#cluster.get(pack)).status.activeVersion;
      const kept: KubeObject = { kind: "ConfigMap", metadata: this.#at(`prompts-${first}`) };
      let version = 0;
      await this.until(async () => {
        const manifest = aPackManifest(content, `Version ${++version}.`);
        await this.#cluster.patch(manifest, manifest);
        return !(await this.#isThere(kept));
      });
    },
    shrink: async () => {
      await this.#cluster.patch(this.agent.runtime, { spec: { replicas: 1 } });
      await this.until(async () => !(await this.#isThere(this.agent.disruptionBudget)));
    },
    scale: async () => {
      const { runtime } = this.agent;
      const scaler = (kind: KubeObject["kind"]): KubeObject => ({
        kind,
        metadata: this.#at("support"),
      });
      const kinds = [
        ["hpa", scaler("HorizontalPodAutoscaler")],
        ["keda", scaler("ScaledObject")],
      ] as const;
      for (const [type, object] of kinds) {
        const keda = { triggers: [{ type: "cron", metadata: {} }] };
        await this.#cluster.patch(runtime, {
          spec: { autoscaling: { enabled: true, type, keda } },
        });
        if (!(await this.until(() => this.#isThere(object)))) return;
        const drifted = type === "hpa" ? { maxReplicas: 4321 } : { maxReplicaCount: 4321 };
        await this.#cluster.patch(object, { spec: drifted });
        if (!(await this.until(async () => !(await this.#holds(object, "4321"))))) return;
      }
      await this.#cluster.patch(runtime, { spec: { autoscaling: { enabled: false } } });
      await this.until(async () => {
        const gone = kinds.map(async ([, object]) => !(await this.#isThere(object)));
        return (await Promise.all(gone)).every(Boolean);
      });
    },
    succeed: async () => {
      await this.stop();
      const lease: KubeObject = {
        kind: "Lease",
        metadata: { name: LEASE_NAME, namespace: this.own },
      };
      await this.#cluster.patch(lease, {
        metadata: { annotations: { [HOLDER_POD_ANNOTATION]: "another gone uid" } },
        spec: { holderIdentity: "another" },
      });
      await this.start();
      await this.until(async () => !(await this.#holds(lease, '"holderIdentity":"another"')));
    },
    take: async () => {
      const agent = anAgentManifest(this.#at("taken"), { facade: { handler: "echo" } });
      const claimed = { ...agent.metadata, annotations: { [MANAGED_BY_ANNOTATION]: "nobody" } };
      await this.#cluster.create({ ...agent, metadata: claimed });
      await this.until(async () => !(await this.#holds(agent, '"nobody"')));
    },
    open: async () => {
      await this.stop();
      await this.start({ makesNetworkPolicies: false });
      await this.until(async () => !(await this.#isThere(this.agent.networkPolicy)));
    },
  };
}

/** The part of the work that needs the right, where it is not the first. */
export function partThatNeeds(right: OperatorRight): string {
  const { verb, resource, scope } = right;
  if (scope === "cluster" && resource.endsWith("/leases")) return "take";
  if (scope === "own" && resource === "/pods") return "succeed";
  if (scope === "own") return nameOf(right) === nameOf(RENEWAL) ? "renew" : "make";
  const parts: Record<string, string> = {
    "patch /pods": "tell",
    "patch events.k8s.io/events": "repeat",
    "delete /configmaps": "prune",
    "delete policy/poddisruptionbudgets": "shrink",
    "delete networking.k8s.io/networkpolicies": "open",
  };
  if (/autoscalers|scaledobjects/.test(resource) && verb !== "list") return "scale";
  const isOfChildren = /configmaps|services|deployments|budgets|policies/.test(resource);
  const mends = isOfChildren && (verb === "get" || verb === "patch");
  return parts[`${verb} ${resource}`] ?? (mends ? "mend" : "make");
}
