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

  it("sorts names of digits as texts at any depth, beside names of letters", () => {
    const inner = { b: { 2: 1, 10: 2, a: undefined }, a: [{ 9: 1, 80: null, "0x": [] }] };
    expect(canonicalJSON([inner, { z: {}, c: "1" }])).toBe(
      '[{"a":[{"0x":[],"80":null,"9":1}],"b":{"10":2,"2":1}},{"c":"1","z":{}}]',
    );
  });

  it("has a field of the name __proto__ as any other", () => {
    const value = JSON.parse('{"b":{"__proto__":{"d":1,"c":2}},"a":[]}') as unknown;
    expect(canonicalJSON(value)).toBe('{"a":[],"b":{"__proto__":{"c":2,"d":1}}}');
  });

  it("has null for what is undefined in a list or alone", () => {
    expect(canonicalJSON([undefined, { a: [undefined] }])).toBe('[null,{"a":[null]}]');
    expect(canonicalJSON(undefined)).toBe("null");
  });

  it("leaves the value as it is", () => {
    const value = { b: { d: 1, c: [2] }, a: 1 };
    canonicalJSON(value);
    expect(JSON.stringify(value)).toBe('{"b":{"d":1,"c":[2]},"a":1}');
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
