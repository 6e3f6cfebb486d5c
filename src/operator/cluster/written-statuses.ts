import { isDeepStrictEqual } from "node:util";
import type { Condition } from "../../api/conditions.ts";
import { statusTransitions } from "../../control/explain/status-transitions.ts";
import type { CacheChange } from "../../kube/watch/cache.ts";
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
  /** Key → the status that is being written. */
  readonly #sent = new Map<string, Pick<Written<Status>, "uid" | "status">>();

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
   * Writes the status if it differs from the last one, and begins to report an event for each condition that changed. Resolves to
   * whether it was written.
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
    const key = keyOf(stored.metadata);
    const sent = { uid, status };
    this.#sent.set(key, sent);
    try {
      if (!(await this.#apply(stored, status, last, signal))) return false;
    } finally {
      this.#sent.delete(key);
    }
    const at = clock.monotonic();
    const written = { ...sent, attempt: undefined, over: resourceVersion, at };
    this.#written.set(key, written);
    await this.#report(stored, before, status, signal);
    return true;
  }

  /**
   * Whether a change in the cache shows nothing but the status that this process wrote last or is writing now. What was decided before
   * that write holds after it too.
   */
  isOwnWrite({
    before,
    after,
  }: CacheChange<KubernetesObject & { status?: Status | undefined }>): boolean {
    const status = after?.status;
    if (before === undefined || after === undefined || status === undefined) return false;
    const sent = this.#sent.get(keyOf(after.metadata));
    const last = this.#lastOf(after);
    const own = [sent?.uid === after.metadata.uid ? sent : undefined, last].find(
      (each) => each !== undefined && isDeepStrictEqual(each.status, status),
    );
    if (own === undefined || last?.attempt !== undefined) return false;
    if (!isDeepStrictEqual(withoutStatus(before), withoutStatus(after))) return false;
    // Keeping the object of the cache saves the memory of the other one.
    own.status = status;
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
    const events = statusTransitions(before?.conditions, after.conditions).map(
      ({ type, reason, message }) => ({ type, reason, action: "Reconcile", note: message }),
    );
    // A worker does not wait for what nobody decides from.
    await this.#context.events.begin(this.#type, stored, events, signal);
  }

  #lastOf({ metadata }: KubernetesObject): Written<Status> | undefined {
    const last = this.#written.get(keyOf(metadata));
    return last?.uid === metadata.uid ? last : undefined;
  }
}

function withoutStatus(object: KubernetesObject & { status?: unknown }): unknown {
  const { status: _, metadata, ...others } = object;
  const { resourceVersion: _version, ...identity } = metadata;
  return [identity, others];
}
