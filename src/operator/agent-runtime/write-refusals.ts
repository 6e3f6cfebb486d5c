/** Which objects of one agent the API server refused, and why, so that the same write is not tried over and over. */
import {
  isConflict,
  isKindTerminating,
  isNamespaceTerminating,
  isNotFound,
  isRefusal,
} from "../../kube/client/api-error.ts";
import { NAME_TAKEN, WRITE_REFUSED } from "../../control/replica-words.ts";
import { NotOursError } from "../../kube/apply-owned.ts";
import { exponentialBackoff } from "../../time/backoff.ts";
import type { Clock } from "../../time/clock.ts";
import type { KubernetesObject, ResourceType } from "../../kube/client/object.ts";
import { contentHash } from "../../promptpack/document/content-hash.ts";
import { stableMessage } from "./pods/stable-message.ts";

/** For an obstacle that passes without our doing: the rest of an object that was deleted, a write of somebody else. */
const PASSING_RETRY_MS = 500;
/** An obstacle that is still there after so many tries is reported. */
const PASSING_TRIES = 20;
/**
 * For a name that belongs to somebody else. The owner gives it up at some time, and not every such object is watched here. It is
 * short enough that the condition follows within five seconds.
 */
const TAKEN_RETRY_MS = 4_000;
/** For a quota or a policy: it may change, or else the object has to. */
const FIRST_REFUSED_RETRY_MS = 10_000;
const LAST_REFUSED_RETRY_MS = 60_000;

const refusedBackoff = exponentialBackoff({
  firstMs: FIRST_REFUSED_RETRY_MS,
  lastMs: LAST_REFUSED_RETRY_MS,
});

export interface WriteRefusal {
  /** For people. `undefined` while the obstacle is expected to pass without anybody's doing. */
  readonly problem: string | undefined;
  readonly retryInMs: number;
  /** Another object has the name, or somebody else wrote at the same moment. */
  readonly isTaken: boolean;
}

interface Remembered extends WriteRefusal {
  /** A digest of the object that was refused. */
  readonly digest: string;
  readonly tries: number;
  /** The same object is not tried again before this time. */
  readonly untilMs: number;
}

export class WriteRefusals {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #byKind = new Map<string, Remembered>();

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** The last refusal of exactly this object, if it is too early to try again. */
  unexpired(type: ResourceType, wanted: KubernetesObject): WriteRefusal | undefined {
    const last = this.#byKind.get(type.kind);
    if (last === undefined || last.digest !== contentHash(wanted)) return undefined;
    const retryInMs = last.untilMs - this.#clock.monotonic();
    return retryInMs > 0 ? { ...last, retryInMs } : undefined;
  }

  /** Whether the last try found that another object has the name. */
  wasTaken(type: ResourceType): boolean {
    return this.#byKind.get(type.kind)?.isTaken ?? false;
  }

  clear(type: ResourceType): void {
    this.#byKind.delete(type.kind);
  }

  /** Throws `error` when it is no answer about the object, such as a connection that broke. */
  add(type: ResourceType, wanted: KubernetesObject, error: unknown): WriteRefusal {
    const tries = (this.#byKind.get(type.kind)?.tries ?? 0) + 1;
    const refusal = refusalOf(`${type.kind} "${wanted.metadata.name}"`, error, tries);
    const untilMs = this.#clock.monotonic() + (refusal.isTaken ? 0 : refusal.retryInMs);
    this.#byKind.set(type.kind, { ...refusal, digest: contentHash(wanted), tries, untilMs });
    return refusal;
  }
}

function refusalOf(what: string, error: unknown, tries: number): WriteRefusal {
  const isLasting = tries > PASSING_TRIES;
  if (error instanceof NotOursError && (!error.isLeftover || isLasting)) {
    const problem = error.isLeftover
      ? `${what} of an AgentRuntime that was deleted is still there; see what keeps it`
      : `${what} is there and ${NAME_TAKEN}; remove it, or give the AgentRuntime another name`;
    return { problem, retryInMs: TAKEN_RETRY_MS, isTaken: true };
  }
  const isBetweenTwo = isConflict(error) || isNotFound(error);
  if (error instanceof NotOursError || (isBetweenTwo && !isLasting)) {
    return { problem: undefined, retryInMs: PASSING_RETRY_MS, isTaken: true };
  }
  if (!isRefusal(error)) throw error;
  // The agent is deleted together with its namespace, so there is nothing that anybody should do.
  if (isNamespaceTerminating(error)) {
    return { problem: undefined, retryInMs: LAST_REFUSED_RETRY_MS, isTaken: false };
  }
  if (isKindTerminating(error) && !isLasting) {
    return { problem: undefined, retryInMs: TAKEN_RETRY_MS, isTaken: false };
  }
  const problem = `${WRITE_REFUSED} ${what}: ${stableMessage(error.message)}`;
  return { problem, retryInMs: refusedBackoff(tries), isTaken: false };
}
