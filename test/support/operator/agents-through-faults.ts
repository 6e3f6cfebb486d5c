/** Agents that an operator makes while faults befall it, and what is to be true of them in the end. */
import { expect, vi } from "vitest";
import { type KubeCluster, OPERATOR_USER } from "../kubernetes/kube-cluster.ts";
import { anAgentManifest, aNamespaceManifest, theReferences } from "../builders/manifests.ts";
import { expectWrittenOnce } from "../documents/written-once.ts";

/** Backoffs grow to half a minute. */
export const RECOVERED = { timeout: 60_000, interval: 200 };

export class AgentsThroughFaults {
  readonly namespace: string;
  readonly #cluster: KubeCluster;
  readonly #count: number;

  private constructor(cluster: KubeCluster, namespace: string, count: number) {
    this.#cluster = cluster;
    this.namespace = namespace;
    this.#count = count;
  }

  static async prepare(
    cluster: KubeCluster,
    namespace: string,
    count: number,
  ): Promise<AgentsThroughFaults> {
    const references = theReferences(namespace);
    await cluster.create(aNamespaceManifest(namespace), ...references);
    // A tool that is found after an agent was made is written into its config. That second write is correct.
    const decided = references.filter(
      ({ kind }) => kind === "PromptPack" || kind === "ToolRegistry",
    );
    await vi.waitFor(async () => {
      const phases = await Promise.all(
        decided.map(async (one) => (await cluster.get(one)).status?.phase),
      );
      expect(phases).toEqual(["Active", "Ready"]);
    }, RECOVERED);
    return new AgentsThroughFaults(cluster, namespace, count);
  }

  /** Creates agents with the names agent-0, agent-1, …. Goes on when the API server is away for a while. */
  async create(): Promise<void> {
    for (let index = 0; index < this.#count; index++) {
      const manifest = anAgentManifest({ name: `agent-${index}`, namespace: this.namespace });
      await vi.waitFor(async () => {
        if ((await this.#cluster.get(manifest)) === undefined) await this.#cluster.create(manifest);
      }, RECOVERED);
    }
  }

  async allRun(): Promise<void> {
    await vi.waitFor(async () => {
      const runtimes = await this.#cluster.list("AgentRuntime", this.namespace);
      const waiting = runtimes.filter(({ status }) => status?.phase !== "Running");
      expect(waiting.map(({ metadata }) => metadata.name)).toEqual([]);
      expect(runtimes).toHaveLength(this.#count);
    }, RECOVERED);
  }

  /** All objects of the agents, and all events. */
  async wereWrittenOnce(): Promise<void> {
    const writes = await this.#cluster.audit.writes({ by: OPERATOR_USER });
    expectWrittenOnce(writes, this.namespace);
    const events = (await this.#cluster.list("Event", this.namespace))
      .filter(({ regarding }) => regarding.kind === "AgentRuntime")
      .map(({ regarding, reason, note }) => `${regarding.name} ${reason} ${note}`);
    expect(events).toHaveLength(new Set(events).size);
  }
}
