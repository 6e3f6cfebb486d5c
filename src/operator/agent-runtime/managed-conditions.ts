import { isDeepStrictEqual } from "node:util";
import type { Condition } from "../../api/conditions.ts";
import { managedByAnother } from "../../control/agent-runtime/managed.ts";
import { toConditions } from "../../control/condition.ts";
import { isConflict, isNotFound } from "../../kube/client/api-error.ts";
import { keyOf } from "../../kube/client/object.ts";
import { exponentialBackoff } from "../../time/backoff.ts";
import type { Claims } from "../claims/claims.ts";
import { AGENT_RUNTIMES, type StoredAgentRuntime } from "../cluster/kubernetes-objects.ts";
import type { OperatorContext } from "../cluster/operator-context.ts";
import { managerOf } from "../cluster/operators-of.ts";

/** Between two removals of what the same operator says of the same AgentRuntime, should it say it again. */
const REMOVAL_MS = 60_000;
/**
 * What an operator says whose lease may not be read is removed after this time, to see whether it says it again. It then stays for
 * twice as long, and so on.
 */
const trialBackoff = exponentialBackoff({ firstMs: 5 * 60_000, lastMs: 10 * 60 * 60_000 });

/** A new AgentRuntime first gets a status from the operator that looks after it. */
const FIRST_STATUS_MS = 5_000;
const READY = "Ready";
const MANAGED_BY_ANOTHER = "ManagedByAnother";

interface Said {
  readonly uid: string | undefined;
  readonly message: string;
  /** The resourceVersion that the object had with it. */
  readonly version: number;
}

interface Removals {
  readonly uid: string | undefined;
  count: number;
  /** The next removal is not due before. */
  nextMs: number;
}

/**
 * The condition Managed. The operator that keeps off an AgentRuntime writes it by a field manager of its own, so that it stands beside
 * the status of the operator that looks after it. The latter removes it when the former is gone.
 */
export class ManagedConditions {
  readonly #context: Pick<OperatorContext, "client" | "events" | "clock" | "log">;
  readonly #claims: Claims;
  readonly #said = new Map<string, Said>();
  /** Key of the AgentRuntime → since when it has no status. */
  readonly #statusless = new Map<string, number>();
  /** Key of the AgentRuntime → operator → what was removed of what it said. */
  readonly #removals = new Map<string, Map<string, Removals>>();

  constructor(
    context: Pick<OperatorContext, "client" | "events" | "clock" | "log">,
    claims: Claims,
  ) {
    this.#context = context;
    this.#claims = claims;
  }

  /**
   * Says that this operator keeps off the AgentRuntime, once: in the status, in an event and in the log. Resolves to when it is to be
   * tried again.
   */
  async say(
    stored: StoredAgentRuntime,
    claimant: string,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const { clock, log, events } = this.#context;
    const key = keyOf(stored.metadata);
    const before = this.#saidIn(stored);
    const hasStatus = stored.status?.conditions?.some(
      ({ type, reason }) => type === READY && reason !== MANAGED_BY_ANOTHER,
    );
    const conditions = toConditions(
      "AgentRuntime",
      managedByAnother({
        namespace: claimant,
        isSeen: this.#claims.standing(claimant, stored) !== "unseen",
        hasStatus: hasStatus === true,
      }),
      { previous: before, generation: stored.metadata.generation ?? 1, now: clock.now() },
    );
    if (isDeepStrictEqual(before, conditions)) return undefined;
    if (hasStatus !== true) {
      const sinceMs = this.#statusless.get(key) ?? clock.monotonic();
      this.#statusless.set(key, sinceMs);
      const waitMs = sinceMs + FIRST_STATUS_MS - clock.monotonic();
      if (waitMs > 0) return waitMs;
    }
    const message = conditions[0]?.message ?? "";
    const last = this.#lastSaid(key, stored);
    const isUnseen = last !== undefined && Number(stored.metadata.resourceVersion) < last.version;
    if (isUnseen && last.message === message) return undefined;
    const written = await this.#apply(stored, this.#claims.own, { conditions }, signal);
    // Another operator that keeps off says the same in other words.
    if (written === undefined) return undefined;
    const { uid, resourceVersion } = written.metadata;
    this.#said.set(key, { uid, message, version: Number(resourceVersion) });
    if (before.length > 0 || last?.message === message) return undefined;
    log.warn({ key, claimant }, "Another operator looks after an AgentRuntime");
    const reason = MANAGED_BY_ANOTHER;
    const event = { type: "Warning", reason, action: "Reconcile", note: message } as const;
    await events.report(AGENT_RUNTIMES, stored, event, signal);
    return undefined;
  }

  /** Removes what operators said that are gone or have nothing to do with it any more. Resolves to when to look again. */
  async clear(stored: StoredAgentRuntime, signal: AbortSignal): Promise<number | undefined> {
    const key = keyOf(stored.metadata);
    this.#said.delete(key);
    this.#statusless.delete(key);
    const operators = stored.keptOffBy ?? [];
    const delays: number[] = [];
    for (const operator of operators) {
      const delay = this.#untilRemoval(key, operator, stored);
      if (delay !== undefined && delay > 0) delays.push(delay);
      if (delay === undefined || delay > 0) continue;
      await this.#apply(stored, operator, undefined, signal);
    }
    return delays.length === 0 ? undefined : Math.min(...delays);
  }

  forget(key: string): void {
    this.#said.delete(key);
    this.#statusless.delete(key);
    this.#removals.delete(key);
  }

  /** `undefined`: it is not to be removed. */
  #untilRemoval(key: string, operator: string, stored: StoredAgentRuntime): number | undefined {
    const { metadata } = stored;
    const standing = this.#claims.standing(operator, stored);
    const isUnseen = standing === "unseen";
    const isOver = operator === this.#claims.own || standing === "gone";
    if (!isUnseen && !isOver) return undefined;
    const now = this.#context.clock.monotonic();
    const removals = this.#removals.get(key) ?? new Map<string, Removals>();
    this.#removals.set(key, removals);
    let known = removals.get(operator);
    if (known?.uid !== metadata.uid) {
      const nextMs = isUnseen ? now + trialBackoff(1) : now;
      known = { uid: metadata.uid, count: 0, nextMs };
      removals.set(operator, known);
    }
    if (known === undefined || known.nextMs > now) return (known?.nextMs ?? now) - now;
    known.count += 1;
    known.nextMs = now + (isUnseen ? trialBackoff(known.count + 1) : REMOVAL_MS);
    return 0;
  }

  /** Resolves to `undefined` when the object is gone, or when another operator says something else. */
  async #apply(
    { metadata: { name, namespace, uid } }: StoredAgentRuntime,
    operator: string,
    status: object | undefined,
    signal: AbortSignal,
  ): Promise<StoredAgentRuntime | undefined> {
    const client = this.#context.client.givingWay().as(managerOf(operator));
    const object = { metadata: { name, namespace, uid }, status };
    try {
      return await client.apply(AGENT_RUNTIMES, object, {
        subresource: "status",
        force: false,
        signal,
      });
    } catch (error) {
      if (isConflict(error) || isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** What is in the status because an operator keeps off. */
  #saidIn({ status }: StoredAgentRuntime): Condition[] {
    const said = (status?.conditions ?? []).filter(({ reason }) => reason === MANAGED_BY_ANOTHER);
    return said.toSorted((a, b) => (a.type < b.type ? -1 : 1));
  }

  #lastSaid(key: string, { metadata }: StoredAgentRuntime): Said | undefined {
    const last = this.#said.get(key);
    return last?.uid === metadata.uid ? last : undefined;
  }
}
