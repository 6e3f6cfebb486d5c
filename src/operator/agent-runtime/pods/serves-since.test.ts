import { describe, expect, it } from "vitest";
import { servesSince } from "./serves-since.ts";

describe("the time since when a replica takes connections", () => {
  const at = "2027-01-15T08:00:00Z";
  const available = { type: "Available", status: "True", lastTransitionTime: at };

  it("is that at which the Deployment became available", () => {
    expect(servesSince({ availableReplicas: 1, conditions: [available] })).toBe(1_800_000_000);
  });

  it("has not come while no replica is available, also where none was wanted before", () => {
    expect(servesSince({})).toBe("not-yet");
    expect(servesSince({ replicas: 1, availableReplicas: 0, conditions: [available] })).toBe(
      "not-yet",
    );
  });

  it("is not known where nothing tells it", () => {
    expect(servesSince(undefined)).toBeUndefined();
    expect(servesSince({ availableReplicas: 1 })).toBeUndefined();
    for (const other of [{ status: "False" }, { lastTransitionTime: "soon" }])
      expect(
        servesSince({ availableReplicas: 1, conditions: [{ ...available, ...other }] }),
      ).toBeUndefined();
  });
});
