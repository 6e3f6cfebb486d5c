/** What of one agent the API server would not have, and why: so that nothing is asked for over and over. */
import {
  isConflict,
  isNamespaceTerminating,
  isNotFound,
  isRefusal,
} from "../../kube/client/api-error.ts";
import { NotOursError } from "../../kube/apply-owned.ts";
import { exponentialBackoff } from "../../time/backoff.ts";
import type { Clock } from "../../time/clock.ts";
import type { KubernetesObject, ResourceType } from "../../kube/client/object.ts";
import { contentHash } from "../../promptpack/document/content-hash.ts";
import { stableMessage } from "./pods/stable-message.ts";

/** What stands in the way goes by itself: what is left of an object that was deleted, somebody else's write. */
const PASSING_RETRY_MS = 500;
/** What did not go by itself until then will not, or not soon. */
const PASSING_TRIES = 20;
/** What belongs to others is let go by them, and not every kind of it is watched here. */
const TAKEN_RETRY_MS = 10_000;
/** A quota or a policy: it may change, or the object has to. */
const FIRST_REFUSED_RETRY_MS = 10_000;
const LAST_REFUSED_RETRY_MS = 60_000;

const refusedBackoff = exponentialBackoff({
  firstMs: FIRST_REFUSED_RETRY_MS,
  lastMs: LAST_REFUSED_RETRY_MS,
});

export interface Refusal {
  /** For people; `undefined` while it will go by itself. */
  readonly problem: string | undefined;
  readonly retryInMs: number;
  /** By something else of this name, or by a change at the same moment. */
  readonly isTaken: boolean;
}

interface Remembered extends Refusal {
  /** Of what was refused. */
  readonly digest: string;
  readonly tries: number;
  /** Until then the same would get the same answer. */
  readonly standsUntil: number;
}

export class Refusals {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #byKind = new Map<string, Remembered>();

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** The answer that asking for this again would get, as far as is known. */
  standing(type: ResourceType, wanted: KubernetesObject): Refusal | undefined {
    const last = this.#byKind.get(type.kind);
    if (last === undefined || last.digest !== contentHash(wanted)) return undefined;
    const retryInMs = last.standsUntil - this.#clock.monotonic();
    return retryInMs > 0 ? { ...last, retryInMs } : undefined;
  }

  /** Whether something else had this name when it was tried last. */
  wasTaken(type: ResourceType): boolean {
    return this.#byKind.get(type.kind)?.isTaken ?? false;
  }

  clear(type: ResourceType): void {
    this.#byKind.delete(type.kind);
  }

  /** Throws an error that says nothing of the object. */
  add(type: ResourceType, wanted: KubernetesObject, error: unknown): Refusal {
    const tries = (this.#byKind.get(type.kind)?.tries ?? 0) + 1;
    const refusal = refusalOf(`${type.kind} "${wanted.metadata.name}"`, error, tries);
    const standsUntil = this.#clock.monotonic() + (refusal.isTaken ? 0 : refusal.retryInMs);
    this.#byKind.set(type.kind, { ...refusal, digest: contentHash(wanted), tries, standsUntil });
    return refusal;
  }
}

function refusalOf(what: string, error: unknown, tries: number): Refusal {
  const isLasting = tries > PASSING_TRIES;
  if (error instanceof NotOursError && (!error.isLeftover || isLasting)) {
    const problem = error.isLeftover
      ? `${what} of an AgentRuntime that was deleted is still there; see what keeps it`
      : `${what} is there and belongs to somebody else; remove it, or give the AgentRuntime another name`;
    return { problem, retryInMs: TAKEN_RETRY_MS, isTaken: true };
  }
  const isBetweenTwo = isConflict(error) || isNotFound(error);
  if (error instanceof NotOursError || (isBetweenTwo && !isLasting)) {
    return { problem: undefined, retryInMs: PASSING_RETRY_MS, isTaken: true };
  }
  if (!isRefusal(error)) throw error;
  // The namespace goes, and the agent with it: there is nothing to mend.
  if (isNamespaceTerminating(error)) {
    return { problem: undefined, retryInMs: LAST_REFUSED_RETRY_MS, isTaken: false };
  }
  const problem = `the API server refuses ${what}: ${stableMessage(error.message)}`;
  return { problem, retryInMs: refusedBackoff(tries), isTaken: false };
}
