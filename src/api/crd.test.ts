import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { crdYAML, customResourceDefinitions } from "./crd.ts";
import { type StructuralSchema, structuralSchema } from "./structural-schema.ts";

interface Definition {
  metadata: { name: string };
  spec: {
    names: { shortNames: string[]; categories: string[] };
    versions: { schema: { openAPIV3Schema: StructuralSchema } }[];
  };
}

const definitions = customResourceDefinitions() as Definition[];

function schemaOf({ spec }: Definition): StructuralSchema {
  return spec.versions[0]?.schema.openAPIV3Schema ?? {};
}

function* nodes(
  schema: StructuralSchema,
  path = "",
): Generator<{ path: string; node: StructuralSchema }> {
  yield { path, node: schema };
  for (const [key, child] of Object.entries(schema.properties ?? {})) {
    yield* nodes(child, `${path}.${key}`);
  }
  if (schema.items !== undefined) yield* nodes(schema.items, `${path}[]`);
  if (schema.additionalProperties !== undefined) {
    yield* nodes(schema.additionalProperties, `${path}.*`);
  }
}

describe("the CRDs", () => {
  it("have the names that users type", () => {
    expect(
      definitions.map(({ metadata, spec }) => [metadata.name, spec.names.shortNames[0]]),
    ).toEqual([
      ["agentruntimes.omnia.altairalabs.ai", "ar"],
      ["promptpacks.omnia.altairalabs.ai", "pp"],
      ["toolregistries.omnia.altairalabs.ai", "tr"],
    ]);
  });

  it("describe every field, bound every list and string of a spec, and say how lists are merged", () => {
    const wanting: string[] = [];
    for (const definition of definitions) {
      const spec = schemaOf(definition).properties?.["spec"] ?? {};
      for (const { path, node } of nodes(spec)) {
        const isBound = node["enum"] !== undefined || node["maxLength"] !== undefined;
        const isField = !path.endsWith("[]") && !path.endsWith(".*");
        if (isField && node.description === undefined && !path.endsWith("inputSchema.type")) {
          wanting.push(`${path}: description`);
        }
        if (node.type === "string" && !isBound) wanting.push(`${path}: maxLength`);
        if (node.type === "array" && node["maxItems"] === undefined) {
          wanting.push(`${path}: maxItems`);
        }
        if (node.type === "array" && node["x-kubernetes-list-type"] === undefined) {
          wanting.push(`${path}: list type`);
        }
        if (node.additionalProperties !== undefined && node["maxProperties"] === undefined) {
          wanting.push(`${path}: maxProperties`);
        }
      }
    }
    expect(wanting).toEqual([]);
  });

  it("guard every optional field that a rule reads", () => {
    const unguarded: string[] = [];
    for (const definition of definitions) {
      for (const { path, node } of nodes(schemaOf(definition))) {
        const rules = (node["x-kubernetes-validations"] ?? []) as { rule: string }[];
        for (const { rule } of rules) {
          const bare = rule.replaceAll(/has\(self[A-Za-z.]*\)/g, "");
          for (const [, field = ""] of bare.matchAll(/self\.([A-Za-z]+)/g)) {
            const isOptional =
              Object.hasOwn(node.properties ?? {}, field) && !node.required?.includes(field);
            if (isOptional && !rule.includes(`has(self.${field})`)) {
              unguarded.push(`${path}: ${rule}`);
            }
          }
        }
      }
    }
    expect(unguarded).toEqual([]);
  });

  it("are the same as YAML", () => {
    const documents = parseAllDocuments(crdYAML()).map((document) => document.toJS() as unknown);
    expect(documents).toEqual(JSON.parse(JSON.stringify(definitions)));
  });

  it("merge the status by condition type", () => {
    for (const definition of definitions) {
      const status = schemaOf(definition).properties?.["status"];
      expect(status?.properties?.["conditions"]).toMatchObject({
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
      });
    }
  });
});

describe("structuralSchema", () => {
  it("refuses what Kubernetes could not hold", () => {
    expect(() => structuralSchema(z.object({ a: z.union([z.string(), z.boolean()]) }))).toThrow(
      "no structural schema",
    );
    expect(() => structuralSchema(z.object({ a: z.unknown() }))).toThrow("no structural schema");
  });
});
