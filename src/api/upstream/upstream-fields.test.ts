/** The tables of fields against the kinds of here, as an API server knows them. */
import { describe, expect, it } from "vitest";
import { customResourceDefinitions } from "../crd.ts";
import { PROVIDER_FIELDS } from "./provider-fields.ts";
import { UPSTREAM_FIELDS } from "./recognise-form.ts";
import { under, type UpstreamField } from "./upstream-field.ts";

interface SchemaNode {
  properties?: Record<string, SchemaNode>;
  additionalProperties?: SchemaNode;
  items?: SchemaNode;
}

interface Definition {
  spec: {
    names: { kind: string };
    versions: { schema: { openAPIV3Schema: { properties: { spec: SchemaNode } } } }[];
  };
}

const definitions = customResourceDefinitions() as Definition[];

function hasField(kind: string, path: string): boolean {
  const definition = definitions.find(({ spec }) => spec.names.kind === kind);
  let node = definition?.spec.versions[0]?.schema.openAPIV3Schema.properties.spec;
  for (const step of path.split(".")) {
    const inner = node?.properties?.[step.replace(/\[\]$/, "")] ?? node?.additionalProperties;
    node = step.endsWith("[]") ? inner?.items : inner;
  }
  return node !== undefined;
}

const TABLES: [string, readonly UpstreamField[]][] = [
  ...Object.entries(UPSTREAM_FIELDS),
  ["AgentRuntime", under("", PROVIDER_FIELDS, "provider.")],
];

describe.each(TABLES)("the table of %s", (kind, fields) => {
  it("has each field once", () => {
    const paths = fields.map(({ from }) => from);
    expect(paths.filter((path, index) => paths.indexOf(path) !== index)).toEqual([]);
  });

  it("names places that there are", () => {
    const places = fields.flatMap(({ to }) => to ?? []);
    expect(places.filter((place) => !hasField(kind, place))).toEqual([]);
  });

  it("says why a field has no place", () => {
    expect(fields.filter(({ to, note }) => to === undefined && note === undefined)).toEqual([]);
  });
});

describe.each(Object.entries(UPSTREAM_FIELDS))("a field of the table of %s", (kind, fields) => {
  it("tells the form only when there is none of that name here", () => {
    const telling = fields.filter(({ isShared }) => isShared !== true).map(({ from }) => from);
    expect(telling.filter((path) => hasField(kind, path))).toEqual([]);
  });
});
