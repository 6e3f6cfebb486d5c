import type { Standing } from "./other-operators.ts";

export interface ClaimFacts {
  /** The operator that the annotation names. */
  readonly claimant: string | undefined;
  /** This operator. */
  readonly own: string;
  /** What is known of the claimant. */
  readonly standing: Standing;
  /** How long ago the claim of this operator was found to be removed. `undefined`: it was not, or not by anybody else. */
  readonly removedForMs: number | undefined;
}

export type ClaimDecision =
  /** The claim is ours. */
  | { readonly do: "work" }
  /** Nobody has claimed it. */
  | { readonly do: "claim" }
  /** The claimant is gone. */
  | { readonly do: "take" }
  /** Somebody has removed our claim, for another operator to come. */
  | { readonly do: "give way"; readonly forMs: number }
  /** It is not known yet whether the claimant still runs. */
  | { readonly do: "wait" }
  | { readonly do: "keep off"; readonly claimant: string };

/** For this long after its claim was removed, an operator leaves the object to another one. */
export const GIVE_WAY_MS = 5_000;

export function decideClaim({ claimant, own, standing, removedForMs }: ClaimFacts): ClaimDecision {
  if (claimant === own) return { do: "work" };
  if (claimant === undefined) {
    const forMs = removedForMs === undefined ? 0 : GIVE_WAY_MS - removedForMs;
    return forMs > 0 ? { do: "give way", forMs } : { do: "claim" };
  }
  switch (standing) {
    case "gone":
      return { do: "take" };
    case "unknown":
      return { do: "wait" };
    case "alive":
    case "unseen":
      return { do: "keep off", claimant };
  }
}
