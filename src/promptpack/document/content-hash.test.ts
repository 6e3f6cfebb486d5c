import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJSON, contentHash } from "./content-hash.ts";

/** The same in the plainest way. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== "object" || value === null) return value;
  const sorted = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const copy: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [name, field] of sorted) copy[name] = inOrder(field);
  return copy;
}

// Names of digits come first in every object of JavaScript, and not in the order of texts.
const names = fc.string({ unit: "binary" }).filter((name) => !/^\d+$/.test(name));

describe("canonicalJSON", () => {
  it("has the fields of every object in the order of their names", () => {
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.string({ unit: "binary" }),
        fc.double(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie("value")),
        fc.dictionary(names, tie("value"), { maxKeys: 40 }),
      ),
    }));
    fc.assert(
      fc.property(value, (json) => {
        expect(canonicalJSON(json)).toBe(JSON.stringify(inOrder(json)));
      }),
    );
  });

  it("sorts names of digits as texts, and leaves out what is undefined", () => {
    expect(canonicalJSON({ 2: "b", 10: "a", none: undefined })).toBe('{"10":"a","2":"b"}');
  });

  it("quotes names as JSON does", () => {
    expect(canonicalJSON({ 'a"b': 1, "ü\n": 2, "a/b.c-d": 3, "": 4 })).toBe(
      '{"":4,"a\\"b":1,"a/b.c-d":3,"ü\\n":2}',
    );
  });

  it.each([19, 20, 21, 60])("sorts %i fields", (count) => {
    const fields = Array.from({ length: count }, (_, index) => [`f${(index * 7) % count}`, index]);
    const sorted = Object.fromEntries(
      fields.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
    );
    expect(canonicalJSON(Object.fromEntries(fields))).toBe(JSON.stringify(sorted));
  });
});

describe("contentHash", () => {
  it("is the same in every version of the operator, because objects in clusters are marked with it", () => {
    const object = { metadata: { name: "a", labels: { b: "1", a: "2" } }, spec: [1, null, "ä"] };
    expect(contentHash(object)).toBe("bea207b9fec8");
  });
});
