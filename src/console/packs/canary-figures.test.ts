import { describe, expect, it } from "vitest";
import { aPackDetail } from "../../../test/support/console/views.ts";
import { canaryFigures, percentText } from "./canary-figures.ts";

describe("a canary in figures", () => {
  it("has the wanted weight beside the observed split, the errors and the first chunk", () => {
    expect(canaryFigures(aPackDetail())).toEqual([
      {
        version: "1.3.0",
        isCanary: true,
        wanted: 10,
        observed: 12,
        sessions: 12,
        turns: 40,
        errors: 5,
        p50FirstChunkMs: 310,
      },
      {
        version: "1.2.0",
        isCanary: false,
        wanted: 90,
        observed: 88,
        sessions: 88,
        turns: 300,
        errors: 1,
        p50FirstChunkMs: 420,
      },
    ]);
  });

  it("says of what was not counted that it is not known, and not that it is none", () => {
    const counted = { sessions: 0, turns: 0, failures: 0, validationFailures: 0 };
    const canary = { version: "b", weight: 5, counts: counted };
    const figures = canaryFigures(aPackDetail({ canary, activeSemver: undefined }));
    expect(figures.map(({ version, observed, errors }) => [version, observed, errors])).toEqual([
      ["b", undefined, undefined],
      ["aaaaaaaaaaaa", undefined, undefined],
    ]);
    expect(canaryFigures(aPackDetail({ canary: undefined }))).toEqual([]);
  });

  it.each([
    [undefined, "–"],
    [0, "0 %"],
    [0.04, "0.0 %"],
    [1 / 3, "0.3 %"],
    [12.4, "12 %"],
    [100, "100 %"],
  ])("writes %s percent as %s", (value, text) => {
    expect(percentText(value)).toBe(text);
  });
});
