import { isDeepStrictEqual } from "node:util";
import type { Condition } from "../../api/conditions.ts";
import { statusTransitions } from "../../control/explain/status-transitions.ts";
import { isConflict, isNotFound } from "../../kube/client/api-error.ts";
import { applyStatus } from "../../kube/apply-status.ts";
import { keyOf, type KubernetesObject, type ResourceType } from "../../kube/client/object.ts";
import type { OperatorContext } from "./operator-context.ts";

interface StatusWithConditions {
  conditions?: Condition[] | undefined;
}

interface Written<Status> {
  readonly uid: string | undefined;
  status: Status;
  /** What was written after it, it is not known whether with success. */
  attempt: Status | undefined;
  /** What the cache held when it was written. */
  readonly over: string | undefined;
  readonly at: number;
}

/**
 * The statuses of one kind as this process, the only one that writes them, wrote them last: a cache follows only after a while, and
 * a decision that built on the status before would take it back.
 */
export class WrittenStatuses<Status extends StatusWithConditions> {
  readonly #context: Pick<OperatorContext, "client" | "events" | "clock">;
  readonly #type: ResourceType;
  readonly #written = new Map<string, Written<Status>>();

  constructor(context: Pick<OperatorContext, "client" | "events" | "clock">, type: ResourceType) {
    this.#context = context;
    this.#type = type;
  }

  /** The same value again while nothing was written. */
  of(stored: KubernetesObject & { status?: Status | undefined }): Status | undefined {
    const last = this.#lastOf(stored);
    const { status, metadata } = stored;
    if (last === undefined) return status;
    const isOther = metadata.resourceVersion !== last.over && status !== last.status;
    if (isOther && status !== undefined) {
      // The cache has followed: of two equal values one is let go.
      const hasFollowed = [last.status, last.attempt].some((own) => isDeepStrictEqual(own, status));
      if (hasFollowed) {
        last.status = status;
        last.attempt = undefined;
      }
    }
    return last.status;
  }

  /** Milliseconds since this process wrote it; `Infinity`: it has not. */
  age(stored: KubernetesObject): number {
    const last = this.#lastOf(stored);
    return last === undefined ? Infinity : this.#context.clock.monotonic() - last.at;
  }

  /** Writes what is another than what is there, and reports the conditions that changed. */
  async write(
    stored: KubernetesObject & { status?: Status | undefined },
    status: Status,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock } = this.#context;
    const before = this.of(stored);
    const last = this.#lastOf(stored);
    const { uid, resourceVersion } = stored.metadata;
    if (last?.over === resourceVersion && isDeepStrictEqual(last?.status, status)) return;
    if (!(await this.#apply(stored, status, last, signal))) return;
    const key = keyOf(stored.metadata);
    const at = clock.monotonic();
    this.#written.set(key, { uid, status, attempt: undefined, over: resourceVersion, at });
    await this.#report(stored, before, status, signal);
  }

  forget(key: string): void {
    this.#written.delete(key);
  }

  async #apply(
    live: KubernetesObject & { status?: Status | undefined },
    status: Status,
    last: Written<Status> | undefined,
    signal: AbortSignal,
  ): Promise<boolean> {
    // Where many resources come at once, what they ask for is made before it is told of.
    const client = this.#context.client.givingWay();
    try {
      return await applyStatus({ client, type: this.#type, live, status, signal });
    } catch (error) {
      // Deleted meanwhile, or made anew: the cache is about to say so.
      if (isNotFound(error) || isConflict(error)) return false;
      if (last !== undefined) last.attempt = status;
      throw error;
    }
  }

  async #report(
    stored: KubernetesObject,
    before: Status | undefined,
    after: Status,
    signal: AbortSignal,
  ): Promise<void> {
    for (const transition of statusTransitions(before?.conditions, after.conditions)) {
      const { type, reason, message } = transition;
      const event = { type, reason, action: "Reconcile", note: message };
      await this.#context.events.report(this.#type, stored, event, signal);
    }
  }

  #lastOf({ metadata }: KubernetesObject): Written<Status> | undefined {
    const last = this.#written.get(keyOf(metadata));
    return last?.uid === metadata.uid ? last : undefined;
  }
}
