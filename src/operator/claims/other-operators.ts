import { isNotFound, isRefusal } from "../../kube/client/api-error.ts";
import type { KubeClient } from "../../kube/client/client.ts";
import type { KubernetesObject } from "../../kube/client/object.ts";
import { LEASES } from "../../kube/controller/leader-election.ts";
import type { Clock } from "../../time/clock.ts";
import { Deadline } from "../../time/deadline.ts";
import { Wake } from "../../time/wake.ts";
import { LEASE_NAME, LOOKS_AFTER_ANNOTATION } from "../cluster/labels.ts";

/** The time between two looks at the leases of other operators. A leader renews its lease more often. */
export const LOOK_MS = 3_000;
/** An operator whose lease stood still for this long is gone. */
export const GONE_MS = 30_000;
/** After a longer time without an answer, what a lease did meanwhile is not known. */
const GAP_MS = 3 * LOOK_MS;
/** A lease that may not be read is asked for again this often. */
const UNSEEN_LOOK_MS = 60_000;
/** More operators are not looked at. They count as alive. */
export const MAX_OPERATORS = 100;

/** `unknown`: it was not watched for long enough. `unseen`: its lease may not be read, so it counts as alive. */
export type Standing = "unknown" | "alive" | "gone" | "unseen";

/** Says in a lease which namespaces its holder looks after. */
export function looksAfterText(namespaces: readonly string[]): string {
  return namespaces.length === 0 ? "*" : namespaces.join();
}

interface Watched {
  standing: Standing;
  /** `undefined`: there is no lease. */
  lease: KubernetesObject | undefined;
  /** Since when the lease has been seen as it is. */
  sinceMs: number;
  /** When it was looked at last. */
  seenMs: number | undefined;
}

export interface OtherOperatorsOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** False: this operator has no lease itself, and takes nothing over because another has none. */
  readonly judges: boolean;
  /** Whether any object has to do with the operator of this namespace. */
  readonly isConcerned: (operator: string) => boolean;
  readonly onChange: (operator: string) => void;
  readonly onError: (operator: string, error: unknown) => void;
}

/**
 * Whether the other operators of the cluster still run, by their leases. A lease is judged by how long it was watched, never by the
 * times in it.
 */
export class OtherOperators {
  readonly #options: OtherOperatorsOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #wake = new Wake();

  constructor(options: OtherOperatorsOptions) {
    this.#options = options;
  }

  /** Of an operator for the namespace: one that says that it does not look after it is gone from there. */
  standing(operator: string, namespace: string): Standing {
    if (!this.#options.judges) return "unseen";
    const known = this.#watched.get(operator);
    if (known !== undefined) return isElsewhere(known, namespace) ? "gone" : known.standing;
    if (this.#watched.size >= MAX_OPERATORS) return "unseen";
    const sinceMs = this.#options.clock.monotonic();
    this.#watched.set(operator, {
      standing: "unknown",
      lease: undefined,
      sinceMs,
      seenMs: undefined,
    });
    this.#wake.raise();
    return "unknown";
  }

  /** Looks at the leases until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, isConcerned } = this.#options;
    while (!signal.aborted) {
      for (const [operator, watched] of this.#watched) {
        if (signal.aborted) return;
        if (watched.seenMs !== undefined && !isConcerned(operator)) this.#watched.delete(operator);
        else if (this.#isDue(watched)) await this.#look(operator, watched, signal);
      }
      using untilNextLook = new Deadline({ ms: LOOK_MS, clock, signal });
      await this.#wake.wait(untilNextLook.signal);
    }
  }

  #isDue({ standing, seenMs }: Watched): boolean {
    if (seenMs === undefined) return true;
    const everyMs = standing === "unseen" ? UNSEEN_LOOK_MS : LOOK_MS;
    return this.#options.clock.monotonic() - seenMs >= everyMs;
  }

  async #look(operator: string, watched: Watched, signal: AbortSignal): Promise<void> {
    const { client, clock, onChange, onError } = this.#options;
    let lease: KubernetesObject | undefined;
    const before = watched.standing;
    try {
      lease = await client.get(LEASES, { namespace: operator, name: LEASE_NAME }, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!isNotFound(error)) {
        // Without an answer, nothing is known that was not known before.
        if (!isRefusal(error)) return;
        watched.standing = "unseen";
        watched.seenMs = clock.monotonic();
        if (before !== "unseen") {
          onError(operator, error);
          onChange(operator);
        }
        return;
      }
    }
    const nowMs = clock.monotonic();
    watched.standing = standingAfter(watched, lease, nowMs);
    const isSame = versionOf(watched.lease) === versionOf(lease);
    const wasSeen = watched.seenMs !== undefined && nowMs - watched.seenMs <= GAP_MS;
    if (!isSame || !wasSeen) watched.sinceMs = nowMs;
    const hasMoved = looksAfterOf(watched.lease) !== looksAfterOf(lease);
    watched.lease = lease;
    watched.seenMs = nowMs;
    if (watched.standing !== before || hasMoved) onChange(operator);
  }
}

function standingAfter(
  watched: Pick<Watched, "standing" | "lease" | "sinceMs" | "seenMs">,
  lease: KubernetesObject | undefined,
  nowMs: number,
): Standing {
  const { standing, seenMs } = watched;
  const before = standing === "unseen" ? "unknown" : standing;
  if (seenMs === undefined || nowMs - seenMs > GAP_MS)
    return before === "gone" ? "unknown" : before;
  if (versionOf(watched.lease) !== versionOf(lease)) {
    // A leader whose lease somebody deletes makes it again before the next look.
    return lease === undefined ? before : "alive";
  }
  if (lease === undefined) return "gone";
  return nowMs - watched.sinceMs >= GONE_MS ? "gone" : before;
}

function isElsewhere({ standing, lease }: Watched, namespace: string): boolean {
  const said = looksAfterOf(lease);
  if (standing !== "alive" || said === undefined || said === "*") return false;
  return !said.split(",").includes(namespace);
}

function versionOf(lease: KubernetesObject | undefined): string | undefined {
  return lease?.metadata.resourceVersion;
}

function looksAfterOf(lease: KubernetesObject | undefined): string | undefined {
  return lease?.metadata.annotations?.[LOOKS_AFTER_ANNOTATION];
}
