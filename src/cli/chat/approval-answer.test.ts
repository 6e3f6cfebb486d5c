import { describe, expect, it } from "vitest";
import { readApproval, readEdit } from "./approval-answer.ts";

const call = { id: "c1", name: "pay", arguments: {}, expires_at: "2026-01-01T00:00:00Z" };

describe("the answer to a request for an approval", () => {
  it.each([
    ["y", { type: "approve", id: "c1" }],
    [" Yes ", { type: "approve", id: "c1" }],
    ["n", { type: "deny", id: "c1" }],
    ["No  too dear, and late ", { type: "deny", id: "c1", reason: "too dear, and late" }],
    ["e", "edit"],
    ["EDIT", "edit"],
  ])("is read from %j", (line, answer) => {
    expect(readApproval(line, call)).toEqual(answer);
  });

  it.each(["", "yy", "y please", "yes, pay", "nothing", "e 5", "/quit", "ja"])(
    "is asked for again after %j",
    (line) => {
      expect(readApproval(line, call)).toBeUndefined();
    },
  );

  it("may be other arguments, which are a JSON object", () => {
    expect(readEdit(' {"amount": 3} ', call)).toEqual({
      type: "approve",
      id: "c1",
      arguments: { amount: 3 },
    });
    for (const line of ["", "3", "null", "[1]", "{amount: 3}"]) {
      expect(readEdit(line, call)).toBeUndefined();
    }
  });
});
