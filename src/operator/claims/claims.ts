import { MANAGED_BY_ANNOTATION } from "../../api/group.ts";
import { isConflict, isInvalid, isNotFound } from "../../kube/client/api-error.ts";
import type { KubeClient } from "../../kube/client/client.ts";
import { keyOf, type KubernetesObject, type ResourceType } from "../../kube/client/object.ts";
import type { Clock } from "../../time/clock.ts";
import { claimantOf, managerOf } from "../cluster/operators-of.ts";
import { decideClaim } from "./decide-claim.ts";
import type { OtherOperators, Standing } from "./other-operators.ts";

/** After this time the cache shows what another operator wrote at the same moment. */
const CATCH_UP_MS = 1_000;

export type Claim =
  | { readonly isHeld: true }
  /** `claimant`: the operator that looks after the object. `undefined`: it is not known yet which one does. */
  | {
      readonly isHeld: false;
      readonly claimant?: string | undefined;
      readonly requeueAfterMs?: number | undefined;
    };

interface Written {
  readonly uid: string | undefined;
  /** The resourceVersion that the object had with the claim. */
  readonly version: number;
  /** When it was found that somebody has removed the claim. */
  removedMs: number | undefined;
}

/**
 * Which of several operators looks after a resource of ours: the one that its annotation names. It is written by server-side apply
 * without force, by a field manager that only this operator is, so that of two that claim at once one gets a conflict.
 */
export class Claims {
  /** The namespace of this operator, by which it is known. */
  readonly own: string;
  readonly #others: OtherOperators;
  readonly #client: KubeClient;
  readonly #clock: Pick<Clock, "monotonic">;
  /** Kind and key → the claim that is held, as far as this process knows. */
  readonly #held = new Map<string, Written>();

  constructor(options: {
    client: KubeClient;
    own: string;
    others: OtherOperators;
    clock: Pick<Clock, "monotonic">;
  }) {
    this.#client = options.client.as(managerOf(options.own));
    this.own = options.own;
    this.#others = options.others;
    this.#clock = options.clock;
  }

  /** What is known of another operator, for the namespace of the object. */
  standing(operator: string | undefined, { metadata }: KubernetesObject): Standing {
    return operator === undefined || operator === this.own
      ? "alive"
      : this.#others.standing(operator, metadata.namespace ?? "");
  }

  /**
   * Claims the object if it may be claimed. Nothing may be written for an object whose claim is not held. One that cannot be read
   * is left alone, and so counts as claimed where it might be.
   */
  async of(
    type: ResourceType,
    stored: KubernetesObject,
    isReadable: boolean,
    signal: AbortSignal,
  ): Promise<Claim> {
    const id = idOf(type, keyOf(stored.metadata));
    const known = this.#heldOf(id, stored);
    const version = Number(stored.metadata.resourceVersion);
    // The cache does not show yet what was written here.
    if (known !== undefined && version < known.version) return { isHeld: true };
    const claimant = claimantOf(stored);
    if (known !== undefined && claimant === undefined) known.removedMs ??= this.#clock.monotonic();
    const removedMs = known?.removedMs;
    const decision = decideClaim({
      claimant,
      own: this.own,
      standing: this.standing(claimant, stored),
      removedForMs: removedMs === undefined ? undefined : this.#clock.monotonic() - removedMs,
    });
    switch (decision.do) {
      case "work":
        if (known === undefined || known.removedMs !== undefined) this.#remember(id, stored);
        return { isHeld: true };
      case "claim":
      case "take":
        return isReadable
          ? await this.#write(type, stored, decision.do === "take", signal)
          : { isHeld: true };
      case "give way":
        return { isHeld: false, requeueAfterMs: decision.forMs };
      case "wait":
        return { isHeld: false };
      case "keep off":
        this.#held.delete(id);
        return { isHeld: false, claimant: decision.claimant };
    }
  }

  forget(type: ResourceType, key: string): void {
    this.#held.delete(idOf(type, key));
  }

  async #write(
    type: ResourceType,
    stored: KubernetesObject,
    isTakeover: boolean,
    signal: AbortSignal,
  ): Promise<Claim> {
    const { name, namespace, uid, resourceVersion } = stored.metadata;
    // The claim of an operator that is gone is taken as it was seen, and not one that another operator has just made.
    const asSeen = isTakeover || stored.metadata.annotations?.[MANAGED_BY_ANNOTATION] !== undefined;
    const metadata = {
      name,
      namespace,
      uid,
      ...(asSeen ? { resourceVersion } : {}),
      annotations: { [MANAGED_BY_ANNOTATION]: this.own },
    };
    try {
      const claimed = await this.#client.applyForMetadata(
        type,
        { metadata },
        { force: asSeen, signal },
      );
      this.#remember(idOf(type, keyOf(stored.metadata)), claimed);
      return { isHeld: true };
    } catch (error) {
      if (isConflict(error)) return { isHeld: false, requeueAfterMs: CATCH_UP_MS };
      // It was deleted meanwhile.
      if (isNotFound(error)) return { isHeld: false };
      // An object from before a rule that it breaks can be given no annotation. What can be told of it is told.
      if (isInvalid(error)) return { isHeld: true };
      throw error;
    }
  }

  #remember(id: string, { metadata }: KubernetesObject): void {
    const version = Number(metadata.resourceVersion);
    this.#held.set(id, { uid: metadata.uid, version, removedMs: undefined });
  }

  #heldOf(id: string, { metadata }: KubernetesObject): Written | undefined {
    const known = this.#held.get(id);
    return known?.uid === metadata.uid ? known : undefined;
  }
}

function idOf({ plural }: ResourceType, key: string): string {
  return `${plural} ${key}`;
}
