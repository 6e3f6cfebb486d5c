import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const MISSING_PARTS = join(import.meta.dirname, "missing-parts");

describe("this machine", () => {
  it("can be a node of Kubernetes; where it cannot, OMNIA_E2E=off leaves out the tests on one", () => {
    const missing = execFileSync(MISSING_PARTS, { encoding: "utf8" }).trim().split("\n").join(", ");
    expect(missing, `it lacks ${missing}; OMNIA_E2E=off leaves out what needs a node`).toBe("");
  });
});
