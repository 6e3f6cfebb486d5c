import { describe, expect, it } from "vitest";
import type { Condition } from "../../api/conditions.ts";
import { ownStatus } from "./own-status.ts";

const condition = (type: string): Condition => ({
  type,
  status: "False",
  reason: "Reason",
  message: "",
  lastTransitionTime: "2026-03-01T12:00:00Z",
});

describe("the status of an operator's own", () => {
  it("is the status itself where no other operator says anything in it", () => {
    const status = { phase: "Running", conditions: [condition("Ready")] };
    expect(ownStatus(status)).toBe(status);
    expect(ownStatus(undefined)).toBeUndefined();
  });

  it("leaves out what another operator says, and is the same object each time", () => {
    const status = { phase: "Running", conditions: [condition("Managed"), condition("Ready")] };
    const own = ownStatus(status);
    expect(own).toEqual({ phase: "Running", conditions: [condition("Ready")] });
    expect(ownStatus(status)).toBe(own);
  });

  it("is none where nothing else is said", () => {
    expect(ownStatus({ conditions: [condition("Managed")] })).toBeUndefined();
  });
});
