import { describe, expect, it } from "vitest";
import { compareDocuments } from "./compare-documents.ts";

const pack = (prompts: unknown, rest: object = {}): Record<string, unknown> => ({
  id: "p",
  prompts,
  ...rest,
});
const kinds = (left: Record<string, unknown>, right: Record<string, unknown>): string[] =>
  compareDocuments(left, right).map(({ name, kind }) => `${name}: ${kind}`);

describe("the comparison of two versions of a pack", () => {
  it("goes by prompt, and what changed comes first", () => {
    const left = pack({ a: { system_template: "A" }, b: { system_template: "B" }, gone: {} });
    const right = pack({ a: { system_template: "A" }, b: { system_template: "B2" }, fresh: {} });
    expect(kinds(left, right)).toEqual([
      "Prompt b: changed",
      "Prompt fresh: added",
      "Prompt gone: removed",
      "Prompt a: same",
      "The rest of the pack: same",
    ]);
  });

  it("does not take another order of keys for a change", () => {
    const left = pack({ a: { x: 1, system_template: "A", y: { b: 1, a: 2 } } });
    const right = pack({ a: { y: { a: 2, b: 1 }, system_template: "A", x: 1 } });
    expect(kinds(left, right)).toEqual(["Prompt a: same", "The rest of the pack: same"]);
  });

  it("shows a template as the text that the model gets", () => {
    const [part] = compareDocuments(pack({ a: { system_template: "1\n2" } }), pack({ a: {} }));
    expect(part?.left).toBe("1\n2\n\n{}");
  });

  it.each([[undefined], [null], ["text"], [[1]], [{ a: null, b: 3 }]])(
    "takes prompts that are none: %j",
    (prompts) => {
      expect(() => compareDocuments(pack(prompts), pack({}, { version: "2" }))).not.toThrow();
    },
  );
});
