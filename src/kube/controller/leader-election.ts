import { ConnectionError, isConflict, isNotFound } from "../client/api-error.ts";
import type { KubeClient } from "../client/client.ts";
import type { Clock } from "../../time/clock.ts";
import type { KubernetesObject, ResourceType } from "../client/object.ts";

/** Others may take the lease when it was not renewed for this long. */
export const LEASE_MS = 10_000;
/** A leader that could not renew for this long stops leading: sooner than anybody may follow it. */
export const RENEW_DEADLINE_MS = 7_000;
/** Between two looks at the lease. */
export const RETRY_MS = 2_000;
/** By which the time between two looks is longer at most. */
const MAX_SPREAD = 1.2;

export const LEASES: ResourceType = {
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
  namespaced: true,
};

interface Lease extends KubernetesObject {
  spec?: {
    holderIdentity?: string | null;
    leaseDurationSeconds?: number;
    acquireTime?: string | null;
    renewTime?: string | null;
    leaseTransitions?: number;
  };
}

export interface LeaderElectionOptions {
  client: KubeClient;
  namespace: string;
  name: string;
  /** Of this process, and of no other that ever ran. */
  identity: string;
  clock: Clock;
  random: () => number;
  onError: (error: unknown) => void;
}

/** What those who lead ask before they do what only a leader may do. */
export interface Leadership {
  /**
   * Throws LeaseLostError once another may lead by now, and ends the leading. It asks the clock, and not what this process has
   * come to notice: a process that was stopped goes on with what it waited for before any timer of it tells that time went by.
   */
  assertHeld(): void;
}

/**
 * Waits for the lease, then runs `lead` while it is held. The signal that `lead` gets is aborted when the lease is lost or the
 * outer one is aborted; only when `lead` has come to its end is the lease given back, so that two never lead at once.
 * Rejects with LeaseLostError when it was lost; `lead` has come to its end then too, and the lease may be waited for again.
 *
 * Whether a lease has run out is judged by how long this process saw it unchanged, never by the times written in it.
 * Whoever leads writes through `client.fencedBy(() => leadership.assertHeld())`.
 */
export async function runAsLeader(
  options: LeaderElectionOptions,
  lead: (signal: AbortSignal, leadership: Leadership) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const election = new Election(options);
  if (!(await election.acquire(signal))) return;
  const lost = new AbortController();
  const lose = (): void => {
    if (!lost.signal.aborted) lost.abort(new LeaseLostError("the lease was lost"));
  };
  const leadership: Leadership = {
    assertHeld() {
      if (election.remainingMs <= 0) lose();
      lost.signal.throwIfAborted();
    },
  };
  const renewing = new AbortController();
  const renewal = election.keep(renewing.signal).then((held) => {
    if (!held) lose();
  });
  try {
    await lead(AbortSignal.any([signal, lost.signal]), leadership);
  } finally {
    renewing.abort();
    await renewal;
    if (!lost.signal.aborted) await election.release();
  }
  lost.signal.throwIfAborted();
}

export class LeaseLostError extends Error {
  override readonly name = "LeaseLostError";
}

/** What came of a look at the lease; `changed`: somebody wrote it between the look and our own write. */
type Look = "held" | "another's" | "changed";

class Election {
  readonly #options: LeaderElectionOptions;
  #lease: Lease | undefined;
  /** When the lease was last seen to have changed. */
  #seenChange = 0;
  /** When the last renewal was sent, and not when it was answered: others count from a moment in between. */
  #renewed = 0;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
  }

  /** How long we may lead without another renewal. */
  get remainingMs(): number {
    return RENEW_DEADLINE_MS - (this.#options.clock.monotonic() - this.#renewed);
  }

  /** True once the lease is ours, false when the signal was aborted before. */
  async acquire(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      let look: Look = "another's";
      try {
        look = await this.#lookWithin(RENEW_DEADLINE_MS, false, signal);
      } catch (error) {
        if (!signal.aborted) this.#options.onError(error);
      }
      if (look === "held") return true;
      // Whoever waits is there as soon as the lease runs out.
      const untilFree = LEASE_MS - (this.#options.clock.monotonic() - this.#seenChange);
      const pause = untilFree > 0 ? Math.min(RETRY_MS, untilFree) : RETRY_MS;
      await this.#pause(pause, signal);
    }
    return false;
  }

  /** Renews until the signal is aborted: true. False when the lease is another's, or could not be renewed in time. */
  async keep(signal: AbortSignal): Promise<boolean> {
    let pause = RETRY_MS;
    for (;;) {
      await this.#pause(Math.max(0, Math.min(pause, this.remainingMs / MAX_SPREAD)), signal);
      if (signal.aborted) return true;
      if (this.remainingMs <= 0) return false;
      try {
        const look = await this.#lookWithin(this.remainingMs, true, signal);
        if (look === "another's") return false;
        pause = look === "held" ? RETRY_MS : RETRY_MS / 10;
      } catch (error) {
        if (signal.aborted) return true;
        this.#options.onError(error);
      }
    }
  }

  /** Lets go of the lease, so that another need not wait until it runs out. */
  async release(): Promise<void> {
    const signal = AbortSignal.timeout(RETRY_MS);
    try {
      try {
        await this.#letGo(this.#lease, signal);
      } catch (error) {
        if (!isConflict(error)) throw error;
        // A renewal that was given up on may have been carried out.
        await this.#letGo(await this.#read(signal), signal);
      }
    } catch (error) {
      this.#options.onError(error);
    }
  }

  async #letGo(held: Lease | undefined, signal: AbortSignal): Promise<void> {
    const { client, identity } = this.#options;
    if (held?.spec?.holderIdentity !== identity) return;
    const spec = { ...held.spec, holderIdentity: "", leaseDurationSeconds: 1 };
    await client.replace<Lease>(LEASES, { ...held, spec }, signal);
  }

  /** One look that may not outlive the time. */
  async #lookWithin(ms: number, isLeading: boolean, signal: AbortSignal): Promise<Look> {
    const deadline = new AbortController();
    const timer = this.#options.clock.setTimer(ms, () => {
      deadline.abort(new ConnectionError(`no answer about the lease within ${Math.round(ms)} ms`));
    });
    try {
      return await this.#look(isLeading, AbortSignal.any([signal, deadline.signal]));
    } finally {
      timer.cancel();
    }
  }

  /** Reads the lease, and takes or renews it if it may be ours. */
  async #look(isLeading: boolean, signal: AbortSignal): Promise<Look> {
    const { client, namespace, name, identity, clock } = this.#options;
    // A read each time: for the one who waits it is the news, and for the one who leads it costs little.
    const current = await this.#read(signal);
    if (current?.metadata.resourceVersion !== this.#lease?.metadata.resourceVersion) {
      this.#seenChange = clock.monotonic();
    }
    this.#lease = current;
    const holder = current?.spec?.holderIdentity ?? "";
    const isFree =
      current === undefined ||
      // Who leads already has lost a lease that another held meanwhile, though nobody holds it now.
      (!isLeading && (holder === "" || clock.monotonic() - this.#seenChange >= LEASE_MS));
    if (holder !== identity && !isFree) return "another's";

    const time = new Date(clock.now()).toISOString().replace("Z", "000Z");
    const wanted: Lease = {
      metadata: current?.metadata ?? { namespace, name },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: LEASE_MS / 1000,
        acquireTime: holder === identity ? (current?.spec?.acquireTime ?? time) : time,
        renewTime: time,
        leaseTransitions:
          (current?.spec?.leaseTransitions ?? 0) +
          (holder === identity || current === undefined ? 0 : 1),
      },
    };
    const sent = clock.monotonic();
    try {
      this.#lease =
        current === undefined
          ? await client.create<Lease>(LEASES, wanted, signal)
          : await client.replace<Lease>(LEASES, wanted, signal);
    } catch (error) {
      if (isConflict(error)) return "changed";
      throw error;
    }
    this.#seenChange = sent;
    this.#renewed = sent;
    return "held";
  }

  async #read(signal: AbortSignal): Promise<Lease | undefined> {
    const { client, namespace, name } = this.#options;
    try {
      return await client.get<Lease>(LEASES, { namespace, name }, signal);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** Spread, so that those who began together do not look together. */
  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    try {
      await clock.sleep(ms * (1 + random() * (MAX_SPREAD - 1)), signal);
    } catch {
      // Aborted: the caller looks at the signal.
    }
  }
}
