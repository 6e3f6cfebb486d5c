import { describe, expect, it } from "vitest";
import { readCanaryReport } from "./canary-report.ts";

const counts = {
  sessions: 1,
  turns: 2,
  errors: 1,
  validationFailures: 0,
  evals: 3,
  evalPoints: 2_500,
  firstChunk: [0, 1],
};

describe("the report of a canary", () => {
  it.each([
    { process: "p" },
    { process: "p", trial: "t", counts },
    { process: "p", trial: "t", counts, activeCounts: counts },
  ])("is read: %j", (report) => {
    expect(readCanaryReport(JSON.stringify(report))).toEqual(report);
  });

  it("of a replica that runs no evals has none", () => {
    const { evals: _, evalPoints: __, ...earlier } = counts;
    const report = readCanaryReport(JSON.stringify({ process: "p", trial: "t", counts: earlier }));
    expect(report?.counts).toEqual({ ...counts, evals: 0, evalPoints: 0 });
  });

  it.each([
    "",
    "no JSON",
    "null",
    "[]",
    "{}",
    JSON.stringify({ process: "" }),
    JSON.stringify({ process: "p".repeat(65) }),
    JSON.stringify({ process: "p", counts: { ...counts, turns: -1 } }),
    JSON.stringify({ process: "p", counts: { ...counts, errors: 0.5 } }),
    JSON.stringify({ process: "p", counts: { ...counts, sessions: "many" } }),
    JSON.stringify({ process: "p", counts: { ...counts, firstChunk: Array(65).fill(0) } }),
  ])("is not made out of anything else: %s", (body) => {
    expect(readCanaryReport(body)).toBeUndefined();
  });
});
