import { describe, expect, it } from "vitest";
import { type ClaimFacts, decideClaim, GIVE_WAY_MS } from "./decide-claim.ts";

const facts: ClaimFacts = {
  claimant: "other",
  own: "own",
  standing: "alive",
  removedForMs: undefined,
};

describe("an operator that is told to look after a resource", () => {
  it.each<[string, Partial<ClaimFacts>, object]>([
    ["works on its own", { claimant: "own" }, { do: "work" }],
    ["claims what is nobody's", { claimant: undefined }, { do: "claim" }],
    ["keeps off what is another's", {}, { do: "keep off", claimant: "other" }],
    [
      "keeps off what is another's that it may not look at",
      { standing: "unseen" },
      { do: "keep off", claimant: "other" },
    ],
    ["waits until it knows of the other", { standing: "unknown" }, { do: "wait" }],
    ["takes what was another's that is gone", { standing: "gone" }, { do: "take" }],
    [
      "gives way where somebody removed its claim",
      { claimant: undefined, removedForMs: 1_000 },
      { do: "give way", forMs: GIVE_WAY_MS - 1_000 },
    ],
    [
      "claims it again when nobody else came",
      { claimant: undefined, removedForMs: GIVE_WAY_MS },
      { do: "claim" },
    ],
    [
      "keeps off where another came",
      { removedForMs: 1_000 },
      { do: "keep off", claimant: "other" },
    ],
  ])("%s", (_, given, decision) => {
    expect(decideClaim({ ...facts, ...given })).toEqual(decision);
  });
});
