import { isConflict, isNotFound } from "./api-error.ts";
import type { KubeClient } from "./client.ts";
import type { Clock } from "./clock.ts";
import type { KubernetesObject, ResourceType } from "./object.ts";

/** Others may take the lease when it was not renewed for this long. */
export const LEASE_MS = 10_000;
/** A leader that could not renew for this long stops leading: sooner than anybody may follow it. */
export const RENEW_DEADLINE_MS = 7_000;
/** Between two looks at the lease, spread by up to a fifth. */
export const RETRY_MS = 2_000;

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

/**
 * Waits for the lease, then runs `lead` while it is held. The signal that `lead` gets is aborted when the lease is lost or the
 * outer one is aborted; only when `lead` has come to its end is the lease given back, so that two never lead at once.
 * Rejects with LeaseLostError when it was lost: a process that led should end then, and start anew.
 *
 * Whether a lease has run out is judged by how long this process saw it unchanged, never by the times written in it.
 */
export async function runAsLeader(
  options: LeaderElectionOptions,
  lead: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const election = new Election(options);
  if (!(await election.acquire(signal))) return;
  const lost = new AbortController();
  const renewing = new AbortController();
  const renewal = election.keep(renewing.signal).then((held) => {
    if (!held) lost.abort(new LeaseLostError("the lease was lost"));
  });
  try {
    await lead(AbortSignal.any([signal, lost.signal]));
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

class Election {
  readonly #options: LeaderElectionOptions;
  #lease: Lease | undefined;
  #seenChange = 0;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
  }

  /** True once the lease is ours, false when the signal was aborted before. */
  async acquire(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      try {
        if (await this.#tryOnce(signal)) return true;
      } catch (error) {
        if (!signal.aborted) this.#options.onError(error);
      }
      await this.#pause(signal);
    }
    return false;
  }

  /** Renews until the signal is aborted: true. False when the lease is another's, or could not be renewed in time. */
  async keep(signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#options;
    let renewed = clock.monotonic();
    for (;;) {
      await this.#pause(signal);
      if (signal.aborted) return true;
      const remaining = RENEW_DEADLINE_MS - (clock.monotonic() - renewed);
      if (remaining <= 0) return false;
      // One request may not outlive the deadline.
      const deadline = new AbortController();
      const timer = clock.setTimer(remaining, () => deadline.abort());
      try {
        if (!(await this.#tryOnce(AbortSignal.any([signal, deadline.signal])))) return false;
        renewed = clock.monotonic();
      } catch (error) {
        if (signal.aborted) return true;
        this.#options.onError(error);
      } finally {
        timer.cancel();
      }
    }
  }

  /** Lets go of the lease, so that another need not wait until it runs out. */
  async release(): Promise<void> {
    const held = this.#lease;
    if (held?.spec === undefined) return;
    try {
      await this.#options.client.replace<Lease>(
        LEASES,
        { ...held, spec: { ...held.spec, holderIdentity: "", leaseDurationSeconds: 1 } },
        AbortSignal.timeout(RETRY_MS),
      );
    } catch (error) {
      this.#options.onError(error);
    }
  }

  async #tryOnce(signal: AbortSignal): Promise<boolean> {
    const { client, namespace, name, identity, clock } = this.#options;
    // A read each time: for the one who waits it is the news, and for the one who leads it costs little.
    let current: Lease | undefined;
    try {
      current = await client.get<Lease>(LEASES, { namespace, name }, signal);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    if (current?.metadata.resourceVersion !== this.#lease?.metadata.resourceVersion) {
      this.#seenChange = clock.monotonic();
    }
    this.#lease = current;
    const holder = current?.spec?.holderIdentity ?? "";
    const free = holder === "" || clock.monotonic() - this.#seenChange >= LEASE_MS;
    if (holder !== identity && !free) return false;

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
    try {
      this.#lease =
        current === undefined
          ? await client.create<Lease>(LEASES, wanted, signal)
          : await client.replace<Lease>(LEASES, wanted, signal);
      this.#seenChange = clock.monotonic();
      return true;
    } catch (error) {
      // Somebody else was faster; the next look says who.
      if (isConflict(error)) return false;
      throw error;
    }
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    try {
      await clock.sleep(RETRY_MS * (1 + random() / 5), signal);
    } catch {
      // Aborted: the caller looks at the signal.
    }
  }
}
