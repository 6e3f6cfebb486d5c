import { describe, expect, it } from "vitest";
import { theVersion } from "../../../test/support/builders/a-decision.ts";
import { hashesToKeep, MAX_KEPT_VERSIONS } from "./version-retention.ts";

const ACTIVE = theVersion();
const CANARY = theVersion({ version: "2.0.0" });
const canary = { weight: 20, version: CANARY };
const older = (count: number): { hash: string }[] =>
  Array.from({ length: count }, (_, index) => ({ hash: `older-${index}` }));

describe("hashesToKeep", () => {
  it("puts the version that came last before those that were kept", () => {
    expect(hashesToKeep({ active: ACTIVE }, older(2))).toEqual([ACTIVE.hash, "older-0", "older-1"]);
    expect(hashesToKeep({ active: ACTIVE, canary }, older(1))).toEqual([
      CANARY.hash,
      ACTIVE.hash,
      "older-0",
    ]);
  });

  it("names a version once that runs and was kept before", () => {
    expect(hashesToKeep({ active: ACTIVE }, [...older(1), ACTIVE])).toEqual([
      ACTIVE.hash,
      "older-0",
    ]);
  });

  it("lets the oldest go past the limit, and never one that runs", () => {
    const kept = hashesToKeep({ active: ACTIVE, canary }, [...older(20), ACTIVE]);
    expect(kept).toHaveLength(MAX_KEPT_VERSIONS);
    expect(kept).toEqual(expect.arrayContaining([ACTIVE.hash, CANARY.hash, "older-0"]));
    expect(kept).not.toContain("older-8");
  });

  it("keeps the version that a rollback goes back to, however long ago it was kept", () => {
    const kept = hashesToKeep({ active: ACTIVE }, older(20), "older-15");
    expect(kept.slice(0, 3)).toEqual([ACTIVE.hash, "older-15", "older-0"]);
    expect(kept).toHaveLength(MAX_KEPT_VERSIONS);
    expect(hashesToKeep({ active: ACTIVE }, older(1), "gone")).toEqual([ACTIVE.hash, "older-0"]);
  });

  it("keeps what was kept while nothing runs", () => {
    expect(hashesToKeep({}, older(1))).toEqual(["older-0"]);
  });
});
