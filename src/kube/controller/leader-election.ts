import { ConnectionError, isConflict, isNotFound } from "../client/api-error.ts";
import type { KubeClient } from "../client/client.ts";
import type { Clock } from "../../time/clock.ts";
import { Deadline } from "../../time/deadline.ts";
import type { KubernetesObject, ObjectMeta, ResourceType } from "../client/object.ts";

/** A lease that was not renewed for this long may be taken by others. */
export const LEASE_MS = 10_000;
/** A leader that could not renew the lease for this long stops leading, before anybody else may begin. */
export const RENEW_DEADLINE_MS = 7_000;
/** The time between two attempts to take or renew the lease. */
export const RETRY_MS = 2_000;
/** The time between two attempts is random, and longer by this factor at most. */
const MAX_SPREAD = 1.2;

export const LEASES: ResourceType = {
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
  namespaced: true,
};

const PODS: ResourceType = {
  group: "",
  version: "v1",
  kind: "Pod",
  plural: "pods",
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
  /** The name of this process, which no other process ever had. It holds no blank. */
  identity: string;
  /** With it, the lease tells which pod its holder runs in, so that nobody waits for a holder whose pod is gone. */
  pods?: HolderPods | undefined;
  /** What a holder says in the annotations of the lease. `undefined` removes what an earlier holder said there. */
  annotations?: Readonly<Record<string, string | undefined>> | undefined;
  clock: Clock;
  random: () => number;
  onError: (error: unknown) => void;
}

export interface HolderPods {
  /** The annotation of the lease that names the pod of its holder. */
  readonly annotation: string;
  /** The pod that this process runs in, which is in the namespace of the lease. `undefined`: it runs in none. */
  readonly own: { readonly name: string; readonly uid: string } | undefined;
}

/** What a leader asks before it does what only a leader may do. */
export interface Leadership {
  /**
   * Throws LeaseLostError and ends the leading when another process may lead by now. It asks the clock rather than a timer: a
   * process that was stopped for a while goes on with its work before any of its timers fires.
   */
  assertHeld(): void;
}

/**
 * Waits for the lease, then runs `lead` while it is held. The signal that `lead` gets is aborted when the lease is lost or the
 * outer signal is aborted. The lease is given back only after `lead` has ended, so that two never lead at once. Rejects with
 * LeaseLostError when the lease was lost; `lead` has ended then too, and the caller may wait for the lease again.
 *
 * Whether a lease has expired is judged by how long this process saw it unchanged, never by the times written in it. A lease whose
 * holder ran in a pod that is gone is free at once: the kubelet removes a pod when its processes have ended, and the API server takes
 * the token of a pod no longer when the pod is gone.
 * A leader writes through `client.fencedBy(() => leadership.assertHeld())`.
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

/** What came of an attempt to take or renew the lease. `changed`: somebody wrote it between our read and our write. */
type Attempt = "held" | "another's" | "changed";

class Election {
  readonly #options: LeaderElectionOptions;
  #lease: Lease | undefined;
  /** When the lease was last seen to have changed. */
  #seenChange = 0;
  /** When the last renewal was sent. Others count from a later moment, before its answer came. */
  #renewed = 0;
  /** The holder whose pod could not be looked at, which is told once. */
  #unseenHolder: string | undefined;

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
      let attempt: Attempt = "another's";
      try {
        attempt = await this.#tryWithin(RENEW_DEADLINE_MS, false, signal);
      } catch (error) {
        if (!signal.aborted) this.#options.onError(error);
      }
      if (attempt === "held") return true;
      // The next attempt is due as soon as the lease expires.
      const untilFree = LEASE_MS - (this.#options.clock.monotonic() - this.#seenChange);
      const pause = untilFree > 0 ? Math.min(RETRY_MS, untilFree) : RETRY_MS;
      await this.#pause(pause, signal);
    }
    return false;
  }

  /** True once the signal is aborted, false when the lease is another's or could not be renewed in time. Renews it until then. */
  async keep(signal: AbortSignal): Promise<boolean> {
    let pause = RETRY_MS;
    for (;;) {
      await this.#pause(Math.max(0, Math.min(pause, this.remainingMs / MAX_SPREAD)), signal);
      if (signal.aborted) return true;
      if (this.remainingMs <= 0) return false;
      try {
        const attempt = await this.#tryWithin(this.remainingMs, true, signal);
        if (attempt === "another's") return false;
        pause = attempt === "held" ? RETRY_MS : RETRY_MS / 10;
      } catch (error) {
        if (signal.aborted) return true;
        this.#options.onError(error);
      }
    }
  }

  /** Gives the lease back, so that others do not have to wait until it expires. */
  async release(): Promise<void> {
    using deadline = new Deadline({ ms: RETRY_MS, clock: this.#options.clock });
    const { signal } = deadline;
    try {
      try {
        await this.#giveBack(this.#lease, signal);
      } catch (error) {
        if (!isConflict(error)) throw error;
        // A renewal that got no answer may have been carried out.
        await this.#giveBack(await this.#read(signal), signal);
      }
    } catch (error) {
      this.#options.onError(error);
    }
  }

  async #giveBack(held: Lease | undefined, signal: AbortSignal): Promise<void> {
    const { client, identity } = this.#options;
    if (held?.spec?.holderIdentity !== identity) return;
    const spec = { ...held.spec, holderIdentity: "", leaseDurationSeconds: 1 };
    await client.replace<Lease>(LEASES, { ...held, spec }, signal);
  }

  async #tryWithin(ms: number, isLeading: boolean, signal: AbortSignal): Promise<Attempt> {
    using deadline = new Deadline({ ms, clock: this.#options.clock, signal });
    try {
      return await this.#try(isLeading, deadline.signal);
    } catch (error) {
      if (!deadline.isOver) throw error;
      const message = `no answer about the lease within ${Math.round(ms)} ms`;
      throw new ConnectionError(message, { cause: error });
    }
  }

  /** Reads the lease, and takes or renews it if it may be ours. */
  async #try(isLeading: boolean, signal: AbortSignal): Promise<Attempt> {
    const { client, namespace, name, identity, clock } = this.#options;
    // The lease is read each time. A process that waits needs to know of changes, and for the leader a read costs little.
    const current = await this.#read(signal);
    if (current?.metadata.resourceVersion !== this.#lease?.metadata.resourceVersion) {
      this.#seenChange = clock.monotonic();
    }
    this.#lease = current;
    const holder = current?.spec?.holderIdentity ?? "";
    if (current !== undefined && holder !== identity) {
      // A leader has lost a lease that another held meanwhile, even if nobody holds it now.
      if (isLeading) return "another's";
      const isFree = holder === "" || clock.monotonic() - this.#seenChange >= LEASE_MS;
      if (!isFree && !(await this.#isPodGone(current, holder, signal))) return "another's";
    }

    const time = new Date(clock.now()).toISOString().replace("Z", "000Z");
    const wanted: Lease = {
      metadata: this.#annotated(current?.metadata ?? { namespace, name }),
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

  #annotated(metadata: ObjectMeta): ObjectMeta {
    const { identity, pods, annotations = {} } = this.#options;
    const said = { ...metadata.annotations, ...annotations };
    if (pods !== undefined) {
      const { own } = pods;
      said[pods.annotation] = own && `${identity} ${own.name} ${own.uid}`;
    }
    const kept = Object.entries(said).filter(
      (one): one is [string, string] => one[1] !== undefined,
    );
    return kept.length === 0
      ? { ...metadata, annotations: undefined }
      : { ...metadata, annotations: Object.fromEntries(kept) };
  }

  /** False also when it is not known. */
  async #isPodGone({ metadata }: Lease, holder: string, signal: AbortSignal): Promise<boolean> {
    const { client, namespace, pods, onError } = this.#options;
    if (pods === undefined) return false;
    const said = metadata.annotations?.[pods.annotation]?.split(" ") ?? [];
    const [identity, name = "", uid = "", ...more] = said;
    // A holder that knows nothing of this annotation leaves there what an earlier one said.
    if (identity !== holder || name === "" || uid === "" || more.length > 0) return false;
    try {
      const pod = await client.getMetadata(PODS, { namespace, name }, signal);
      return pod.metadata.uid !== uid;
    } catch (error) {
      if (isNotFound(error)) return true;
      if (signal.aborted) throw error;
      if (this.#unseenHolder !== holder) onError(error);
      this.#unseenHolder = holder;
      return false;
    }
  }

  /** The time is random, so that processes that began together do not try together. */
  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    try {
      await clock.sleep(ms * (1 + random() * (MAX_SPREAD - 1)), signal);
    } catch {
      // The caller checks the signal.
    }
  }
}
