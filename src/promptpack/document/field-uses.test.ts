import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { PACK_FIELDS } from "./field-uses.ts";
import { itemSchemaOf } from "./lists-and-maps.ts";
import { promptPackDocumentSchema } from "./prompt-pack-document.ts";

type Schema = z.core.$ZodType;

const listed = PACK_FIELDS.map(({ path }) => path);

/** The fields, list items and map values of a schema, whatever it is wrapped in. */
function childrenOf(schema: Schema): [step: string, child: Schema][] {
  const items = itemSchemaOf(schema);
  if (items !== undefined) return [[items.step, items.item]];
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === "object") return Object.entries(def.shape);
  if (def.type === "pipe") return [...childrenOf(def.in), ...childrenOf(def.out)];
  return "innerType" in def ? childrenOf(def.innerType) : [];
}

/** Every place that is within no listed field and has none within it. */
function unlisted(schema: Schema, path = ""): string[] {
  if (listed.includes(path)) return [];
  if (path !== "" && !listed.some((each) => each.startsWith(path))) return [path];
  return childrenOf(schema).flatMap(([step, child]) => unlisted(child, joined(path, step)));
}

function joined(path: string, step: string): string {
  return step === "[]" || path === "" ? path + step : `${path}.${step}`;
}

function exists(path: string): boolean {
  let schemas: Schema[] = [promptPackDocumentSchema];
  for (const step of path.replaceAll("[]", ".[]").split(".")) {
    schemas = schemas.flatMap((schema) =>
      childrenOf(schema).flatMap(([name, child]) => (name === step ? [child] : [])),
    );
  }
  return schemas.length > 0;
}

describe("the list of what becomes of a pack's fields", () => {
  it("has every field of the document", () => {
    expect(unlisted(promptPackDocumentSchema)).toEqual([]);
  });

  it("has no field that the document does not have, and none twice", () => {
    expect(listed.filter((path) => !exists(path))).toEqual([]);
    expect(new Set(listed).size).toBe(listed.length);
  });
});
