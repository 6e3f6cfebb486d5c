import type { AgentRuntime } from "../../api/agent-runtime.ts";
import { AGENT_RUNTIME, API_VERSION } from "../../api/group.ts";
import { applyOwned } from "../../kube/apply-owned.ts";
import { isGoneOrReplaced, isNotFound } from "../../kube/client/api-error.ts";
import type { KubeClient } from "../../kube/client/client.ts";
import { isOwnedBy, type KubernetesObject, type OwnerReference } from "../../kube/client/object.ts";
import { contentHash } from "../../promptpack/document/content-hash.ts";
import { APPLIED_ANNOTATION } from "../cluster/labels.ts";
import { type AgentChild, type AgentChildren, CHILD_TYPES } from "./children.ts";
import { HANDED_OVER } from "./objects/build-deployment.ts";
import type { WriteRefusal, WriteRefusals } from "./write-refusals.ts";

/** `unchanged`: the object was as wanted already. `refused`: the cluster does not have it as wanted. */
export type ChildWrite = "unchanged" | "written" | "refused";

/** Writes the objects of one agent, and keeps account of what was created and what was refused. */
export class ChildWriter {
  readonly created: AgentChild[] = [];
  readonly refused: WriteRefusal[] = [];
  readonly #client: KubeClient;
  readonly #children: AgentChildren;
  readonly #refusals: WriteRefusals;
  readonly #owner: OwnerReference;
  readonly #signal: AbortSignal;

  constructor(options: {
    client: KubeClient;
    agentRuntime: AgentRuntime;
    uid: string;
    /** As the caches hold them. */
    children: AgentChildren;
    refusals: WriteRefusals;
    signal: AbortSignal;
  }) {
    const { name } = options.agentRuntime.metadata;
    this.#client = options.client;
    this.#children = options.children;
    this.#refusals = options.refusals;
    this.#owner = {
      apiVersion: API_VERSION,
      kind: AGENT_RUNTIME,
      name,
      uid: options.uid,
      controller: true,
    };
    this.#signal = options.signal;
  }

  /** Rejects when it is not known what became of the write. */
  async apply(
    child: AgentChild,
    wanted: KubernetesObject,
    client = this.#client,
  ): Promise<ChildWrite> {
    const type = CHILD_TYPES[child];
    const unexpired = this.#refusals.unexpired(type, wanted);
    if (unexpired !== undefined) {
      this.refused.push(unexpired);
      return "refused";
    }
    const live = await this.#liveOf(child, wanted);
    try {
      const hasWritten = await applyOwned({
        client,
        type,
        live,
        wanted,
        owner: this.#owner,
        appliedAnnotation: APPLIED_ANNOTATION,
        digest: contentHash,
        handedOver: child === "deployment" ? HANDED_OVER : undefined,
        signal: this.#signal,
      });
      this.#refusals.clear(type);
      if (hasWritten && live === undefined) this.created.push(child);
      return hasWritten ? "written" : "unchanged";
    } catch (error) {
      this.refused.push(this.#refusals.add(type, wanted, error));
      return "refused";
    }
  }

  /** Writes the child if it is wanted, and deletes it if it is there and belongs to the agent although it is not wanted. */
  async applyOrDelete(child: AgentChild, wanted: KubernetesObject | undefined): Promise<void> {
    const there = this.#children[child];
    if (wanted !== undefined) await this.apply(child, wanted);
    else if (there !== undefined && isOwnedBy(there, this.#owner.uid))
      await this.#delete(child, there);
  }

  async #delete(child: AgentChild, { metadata }: KubernetesObject): Promise<void> {
    const { name, namespace, uid } = metadata;
    try {
      await this.#client.delete(CHILD_TYPES[child], { name, namespace, uid }, this.#signal);
    } catch (error) {
      if (!isGoneOrReplaced(error)) throw error;
    }
  }

  /** The object in the cache. Where another object had the name, the caches do not know it, and the API server is asked. */
  async #liveOf(
    child: AgentChild,
    wanted: KubernetesObject,
  ): Promise<KubernetesObject | undefined> {
    const type = CHILD_TYPES[child];
    const cached = this.#children[child];
    if (cached !== undefined || !this.#refusals.wasTaken(type)) return cached;
    const { name, namespace } = wanted.metadata;
    try {
      return await this.#client.get(type, { name, namespace }, this.#signal);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}
