import { describe, expect, it } from "vitest";
import type { PackView, VersionCounts } from "../../http-api/pack-views.ts";
import { canaryFigures } from "./canary-figures.ts";

const counts = (sessions: number): VersionCounts => ({
  sessions,
  turns: sessions,
  failures: 0,
  validationFailures: 0,
});

function aPack(canary: Partial<NonNullable<PackView["canary"]>>): PackView {
  return {
    namespace: "default",
    name: "prompts",
    phase: "Canary",
    activeVersion: "aaaaaaaaaaaa",
    canary: { version: "bbbbbbbbbbbb", weight: 10, ...canary },
  };
}

const shares = (pack: PackView) => canaryFigures(pack).map(({ observed }) => observed);

describe("the share of the sessions that a canary was seen to get", () => {
  it("is that of all sessions that were counted", () => {
    expect(shares(aPack({ counts: counts(3), activeCounts: counts(9) }))).toEqual([25, 75]);
  });

  it("is not known while only the canary is counted, or nothing began", () => {
    expect(shares(aPack({ counts: counts(3) }))).toEqual([undefined, undefined]);
    const none = aPack({ counts: counts(0), activeCounts: counts(0) });
    expect(shares(none)).toEqual([undefined, undefined]);
  });
});
