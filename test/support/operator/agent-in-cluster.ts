/** One AgentRuntime of a test's cluster, and what became of it. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, vi } from "vitest";
import type { AgentConfig } from "../../../src/agent-config/agent-config.ts";
import type { KubeCluster, KubeObject } from "../kubernetes/kube-cluster.ts";
import type { Pod } from "../kubernetes/node/pod.ts";
import { timeFor } from "../processes/busy-machine.ts";

/** A change must show within this time. */
export const SOON = {
  get timeout() {
    return timeFor(2_000);
  },
  interval: 20,
};
/** The time for waits that do not test speed. */
export const SOME_TIME = { timeout: 60_000, interval: 50 };

export interface Condition {
  type: string;
  status: string;
  reason: string;
  message: string;
}

export class AgentInCluster {
  readonly #cluster: KubeCluster;
  readonly #at: { name: string; namespace: string };

  constructor(cluster: KubeCluster, at: { name: string; namespace: string }) {
    this.#cluster = cluster;
    this.#at = at;
  }

  get runtime(): KubeObject {
    return { kind: "AgentRuntime", metadata: this.#at };
  }

  get config(): KubeObject {
    const name = `${this.#at.name}-config`;
    return { kind: "ConfigMap", metadata: { name, namespace: this.#at.namespace } };
  }

  get deployment(): KubeObject {
    return { kind: "Deployment", metadata: this.#at };
  }

  get service(): KubeObject {
    return { kind: "Service", metadata: this.#at };
  }

  get disruptionBudget(): KubeObject {
    return { kind: "PodDisruptionBudget", metadata: this.#at };
  }

  get networkPolicy(): KubeObject {
    return { kind: "NetworkPolicy", metadata: this.#at };
  }

  /** Those that every operator makes for two replicas. */
  get children(): KubeObject[] {
    return [this.config, this.deployment, this.service, this.disruptionBudget];
  }

  async phase(): Promise<string | undefined> {
    return (await this.#cluster.get(this.runtime))?.status?.phase;
  }

  /** All fields are empty while it does not exist. */
  async condition(type: string): Promise<Condition> {
    const status = (await this.#cluster.get(this.runtime))?.status;
    const found = status?.conditions?.find((one: Condition) => one.type === type);
    return found ?? { type, status: "", reason: "", message: "" };
  }

  async becomes(phase: string, within = SOON): Promise<void> {
    await vi.waitFor(async () => {
      const object = await this.#cluster.get(this.runtime);
      const { generation } = object.metadata;
      const { phase: current, observedGeneration, conditions } = object.status ?? {};
      // When this fails, the conditions say why.
      expect({ current, observedGeneration, conditions }).toMatchObject({
        current: phase,
        observedGeneration: generation,
      });
    }, within);
  }

  get pods(): Pod[] {
    return this.#cluster.kubelet.podsOf(`${this.#at.namespace}/${this.#at.name}`);
  }

  /** Reads a file of its first pod, by its path in the container. */
  async file(path: string): Promise<string> {
    const [pod] = this.pods;
    if (pod === undefined) throw new Error(`${this.#at.name} has no pod`);
    return readFile(join(this.#cluster.kubelet.rootOf(pod), path), "utf8");
  }

  /** The agent config as its first pod has it. */
  async agentConfig(): Promise<AgentConfig> {
    return JSON.parse(await this.file("/etc/omnia/agent.json")) as AgentConfig;
  }

  /** The fields that must not change when only a condition does. */
  async footprint(): Promise<unknown> {
    const { namespace } = this.#at;
    const [children, replicaSets] = await Promise.all([
      Promise.all(this.children.map((child) => this.#cluster.get(child))),
      this.#cluster.list("ReplicaSet", namespace),
    ]);
    const identity = (object: KubeObject | undefined): unknown => {
      if (object === undefined) return undefined;
      const { uid, generation, annotations, labels } = object.metadata as Pod["metadata"];
      const { data } = object as { data?: unknown };
      return { uid, generation, annotations, labels, data };
    };
    return {
      children: children.map(identity),
      replicaSets: replicaSets.map(identity),
      pods: this.pods.map(({ metadata: { uid, annotations } }) => ({ uid, annotations })),
    };
  }
}
