import { isDeepStrictEqual } from "node:util";
import type { Condition } from "../../api/conditions.ts";
import { statusTransitions } from "../../control/explain/status-transitions.ts";
import { isConflict, isNotFound } from "../../kube/client/api-error.ts";
import { applyStatus } from "../../kube/apply-status.ts";
import { keyOf, type KubernetesObject, type ResourceType } from "../../kube/client/object.ts";
import type { OperatorContext } from "./operator-context.ts";
import { ownStatus } from "./own-status.ts";

interface StatusWithConditions {
  conditions?: Condition[] | undefined;
}

interface Written<Status> {
  readonly uid: string | undefined;
  status: Status;
  /** What was sent after it, when no answer came: it may have been written. */
  attempt: Status | undefined;
  /** The resourceVersion that the cache held when it was written. */
  readonly over: string | undefined;
  readonly at: number;
}

/**
 * The statuses of one kind as this process wrote them last, which is the only one that writes them but for the condition Managed. The cache shows a written
 * status only after a while, and a decision from the status before would undo what was written.
 */
export class WrittenStatuses<Status extends StatusWithConditions> {
  readonly #context: Pick<OperatorContext, "client" | "events" | "clock">;
  readonly #type: ResourceType;
  readonly #written = new Map<string, Written<Status>>();

  constructor(context: Pick<OperatorContext, "client" | "events" | "clock">, type: ResourceType) {
    this.#context = context;
    this.#type = type;
  }

  /** The status as it was written last. The same object is returned until another status is written. */
  of(stored: KubernetesObject & { status?: Status | undefined }): Status | undefined {
    const last = this.#lastOf(stored);
    const { metadata } = stored;
    const status = ownStatus(stored.status);
    if (last === undefined) return status;
    const isOther = metadata.resourceVersion !== last.over && status !== last.status;
    if (isOther && status !== undefined) {
      // The cache shows what was written. Keeping its object saves the memory of the other one.
      const hasFollowed = [last.status, last.attempt].some((own) => isDeepStrictEqual(own, status));
      if (hasFollowed) {
        last.status = status;
        last.attempt = undefined;
      }
    }
    return last.status;
  }

  /** The milliseconds since this process wrote the status. `Infinity`: it never did. */
  age(stored: KubernetesObject): number {
    const last = this.#lastOf(stored);
    return last === undefined ? Infinity : this.#context.clock.monotonic() - last.at;
  }

  /**
   * Writes the status if it differs from the last one, and reports an event for each condition that changed. Resolves to whether it
   * was written.
   */
  async write(
    stored: KubernetesObject & { status?: Status | undefined },
    status: Status,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { clock } = this.#context;
    const before = this.of(stored);
    const last = this.#lastOf(stored);
    const { uid, resourceVersion } = stored.metadata;
    if (last?.over === resourceVersion && isDeepStrictEqual(last?.status, status)) return false;
    if (!(await this.#apply(stored, status, last, signal))) return false;
    const key = keyOf(stored.metadata);
    const at = clock.monotonic();
    this.#written.set(key, { uid, status, attempt: undefined, over: resourceVersion, at });
    await this.#report(stored, before, status, signal);
    return true;
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
    // When many resources are created at once, the objects that they need are written before their statuses.
    const client = this.#context.client.givingWay();
    try {
      const own = { ...live, status: ownStatus(live.status) };
      return await applyStatus({ client, type: this.#type, live: own, status, signal });
    } catch (error) {
      // The object was deleted meanwhile, and perhaps created again. The cache is about to show that.
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
