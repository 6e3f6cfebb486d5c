import { describe, expect, it } from "vitest";
import { needsApproval } from "./needs-approval.ts";

const above100 = { arguments: { properties: { amount: { exclusiveMinimum: 100 } } } };

describe("whether a call needs an approval", () => {
  it.each([
    ["nothing is said of it", undefined, {}, false],
    ["it is never asked about", "never", {}, false],
    ["it is always asked about", "always", {}, true],
    ["its arguments match the schema", above100, { amount: 101 }, true],
    ["its arguments do not match the schema", above100, { amount: 100 }, false],
    ["it lacks what the schema only speaks of", above100, {}, true],
    ["the schema excludes what it lacks", { arguments: { required: ["amount"] } }, {}, false],
    ["any arguments match", { arguments: {} }, { a: 1 }, true],
    ["the schema cannot be used", { arguments: { properties: { a: { type: "text" } } } }, {}, true],
  ] as const)("where %s", async (_where, approval, toolArguments, needs) => {
    expect(await needsApproval(approval, toolArguments)).toBe(needs);
  });

  it("is taken for granted where the arguments are too much work to judge", async () => {
    const items = { anyOf: Array.from({ length: 200 }, (_, at) => ({ const: `x${at}` })) };
    const approval = { arguments: { properties: { list: { items } } } };
    const list = Array.from({ length: 40_000 }, () => "x199");
    expect(await needsApproval(approval, { list: ["y"] })).toBe(false);
    expect(await needsApproval(approval, { list: [...list, "y"] })).toBe(true);
  });
});
