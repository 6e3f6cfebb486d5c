/**
 * Makes of any JSON Schema one that every provider takes, since one bad tool fails the whole request: an object at the top, no
 * references, no unions beside fields or at the top, and no keyword that a provider refuses. It may allow more than the schema that
 * it comes from: arguments are checked against that one.
 */
import { isDeepStrictEqual } from "node:util";
import {
  emptySchema,
  type FlatSchema,
  isObject,
  type JSONSchema,
  SchemaFlattener,
  SchemaTooLargeError,
  type Together,
} from "./flat-schema.ts";
import { noteOf, plainKeywords } from "./plain-keywords.ts";

/** As JSON. */
export const MAX_MODEL_SCHEMA_CHARACTERS = 64 * 1024;
export const MAX_MODEL_SCHEMA_NODES = 2_000;
/** The first depth at which the schema is small enough is taken. What is deeper is left out. */
const DEPTHS = [12, 6, 3, 1] as const;
export const MAX_MODEL_SCHEMA_DEPTH = DEPTHS[0];
const MAX_VISITS = 2 * MAX_MODEL_SCHEMA_NODES;
/** Unions within unions beyond this number are left out. */
const MAX_UNIONS_WITHIN = 16;
/** Anthropic takes no other name of a field. */
const FIELD_NAME = /^[a-zA-Z0-9_.-]{1,64}$/;

export interface ModelSchema extends JSONSchema {
  readonly type: "object";
  readonly properties: Readonly<Record<string, JSONSchema>>;
}

const NO_FIELDS: ModelSchema = { type: "object", properties: {} };

/** What a schema comes to may make some of its alternatives equal, and these to one. So it is made again, a few times. */
const MAX_PASSES = 4;

/** Applied to its own result it changes nothing. */
export function forModel(schema: unknown): ModelSchema {
  let made = once(schema);
  for (let passes = 1; passes < MAX_PASSES; passes += 1) {
    const again = once(made);
    if (isDeepStrictEqual(again, made)) break;
    made = again;
  }
  return made;
}

function once(schema: unknown): ModelSchema {
  for (const maxDepth of DEPTHS) {
    try {
      const made = new ModelSchemaMaker(schema, maxDepth).make();
      if (isSmall(made)) return made;
    } catch (error) {
      if (!(error instanceof SchemaTooLargeError)) throw error;
    }
  }
  return NO_FIELDS;
}

class ModelSchemaMaker {
  readonly #flattener: SchemaFlattener;
  readonly #maxDepth: number;

  constructor(schema: unknown, maxDepth: number) {
    this.#flattener = new SchemaFlattener(schema, MAX_VISITS);
    this.#maxDepth = maxDepth;
  }

  make(): ModelSchema {
    const notes: string[] = [];
    const flat = this.#folded(this.#flattener.flat(this.#flattener.root), notes);
    const { description } = flat.keywords;
    const fields = this.#fields(flat, 0, notes);
    return { ...described(description, notes), type: "object", properties: {}, ...fields };
  }

  /** `undefined`: no value is right. */
  #schema(together: Together, depth: number, base?: FlatSchema): JSONSchema | undefined {
    let flat = this.#flattener.flat(together, base);
    if (flat.isNever) return undefined;
    const notes: string[] = [];
    const [union, ...others] = flat.unions;
    if (union !== undefined && flat.properties.size === 0 && others.length === 0) {
      return this.#union(flat, union, depth);
    }
    flat = this.#folded(flat, notes);
    const plain = plainKeywords(flat);
    const { types } = plain;
    notes.push(...plain.notes);
    if (depth >= this.#maxDepth && types.some((type) => type === "object" || type === "array")) {
      // A list without the form of its items would be refused.
      const left = types.filter((type) => type !== "array");
      return { ...described(flat.keywords["description"], notes), ...typed(left) };
    }
    const fields = types.includes("object") ? this.#fields(flat, depth, notes) : {};
    const items = types.includes("array") ? { items: this.#items(flat, depth) } : {};
    const { description } = flat.keywords;
    return {
      ...described(description, notes),
      ...typed(types),
      ...plain.keywords,
      ...fields,
      ...items,
    };
  }

  #union(flat: FlatSchema, branches: readonly Together[], depth: number): JSONSchema | undefined {
    const { description, title: _title, default: _default, ...keywords } = flat.keywords;
    if (depth >= this.#maxDepth) return described(description, []);
    const base = { ...flat, keywords, unions: [] };
    const made = this.#distinct(branches, depth + 1, base);
    if (made.length === 0) return undefined;
    return { ...oneOf(made), ...described(description, []) };
  }

  #distinct(alternatives: readonly Together[], depth: number, base?: FlatSchema): JSONSchema[] {
    const made = alternatives.flatMap<JSONSchema>((each) => this.#schema(each, depth, base) ?? []);
    return [...new Map(made.map((each) => [JSON.stringify(each), each])).values()];
  }

  #fields(flat: FlatSchema, depth: number, notes: string[]): JSONSchema {
    const properties: [string, JSONSchema][] = [];
    const unnamed: string[] = [];
    for (const [name, alternatives] of flat.properties) {
      const made = this.#alternatives(alternatives, depth + 1);
      if (made === undefined) continue;
      if (FIELD_NAME.test(name)) properties.push([name, made]);
      else unnamed.push(JSON.stringify(name));
    }
    if (unnamed.length > 0) notes.push(noteOf("It also takes the fields", unnamed));
    const names = new Set(properties.map(([name]) => name));
    const required = [...flat.required].filter((name) => names.has(name));
    return {
      ...(properties.length === 0 ? {} : { properties: Object.fromEntries(properties) }),
      ...(required.length === 0 ? {} : { required }),
      ...this.#additional(flat, depth, unnamed.length > 0),
    };
  }

  #additional(flat: FlatSchema, depth: number, hasUnnamed: boolean): JSONSchema {
    const more = flat.additionalProperties;
    if (more === undefined || more.schema === true) return {};
    if (more.schema === false) return hasUnnamed ? {} : { additionalProperties: false };
    const made = this.#schema([more], depth + 1);
    const saysNothing = made === undefined || Object.keys(made).length === 0;
    return saysNothing ? {} : { additionalProperties: made };
  }

  #items({ items }: FlatSchema, depth: number): JSONSchema {
    return (items.length === 0 ? undefined : this.#alternatives(items, depth + 1)) ?? {};
  }

  #alternatives(alternatives: readonly Together[], depth: number): JSONSchema | undefined {
    const [only, ...others] = alternatives;
    if (only !== undefined && others.length === 0) return this.#schema(only, depth);
    if (depth >= this.#maxDepth) return {};
    const made = this.#distinct(alternatives, depth + 1);
    return made.length === 0 ? undefined : oneOf(made);
  }

  /** Makes the fields of all alternatives optional fields of the one schema, and says in words which go together. */
  #folded(flat: FlatSchema, notes: string[], within = 0): FlatSchema {
    if (flat.unions.length === 0 || within > MAX_UNIONS_WITHIN) return { ...flat, unions: [] };
    const folded: FlatSchema = {
      ...flat,
      properties: new Map(flat.properties),
      required: new Set(flat.required),
      unions: [],
    };
    for (const union of flat.unions) {
      const branches = union
        .map((branch) => this.#folded(this.#flattener.flat(branch, emptySchema()), [], within + 1))
        .filter(({ isNever }) => !isNever);
      this.#addBranches(folded, branches, notes);
    }
    return folded;
  }

  #addBranches(folded: FlatSchema, branches: readonly FlatSchema[], notes: string[]): void {
    const found = new Map<string, Together[]>();
    for (const { properties } of branches) {
      for (const [name, alternatives] of properties) {
        if (folded.properties.has(name)) continue;
        const all = found.get(name) ?? [];
        all.push(...alternatives);
        found.set(name, all);
      }
    }
    for (const [name, alternatives] of found) folded.properties.set(name, alternatives);
    const groups = branches.map(({ required }) => [...required]);
    const [first = []] = groups;
    for (const name of first) {
      if (groups.every((group) => group.includes(name))) folded.required.add(name);
    }
    const told = new Set(
      groups
        .map((group) => group.filter((name) => !folded.required.has(name)).join(" and "))
        .filter((group) => group !== ""),
    );
    if (told.size > 1) notes.push(noteOf("Give the fields of one of these", [...told]));
  }
}

/** One schema for what has one of these forms. */
function oneOf(made: readonly JSONSchema[]): JSONSchema {
  const [only = {}] = made;
  if (made.length === 1) return only;
  const isChoice = made.every(
    (each) => each["type"] === "string" && Array.isArray(each["enum"]) && isBare(each),
  );
  if (!isChoice) return { anyOf: made };
  return { type: "string", enum: [...new Set(made.flatMap((each) => each["enum"] as string[]))] };
}

function isBare(schema: JSONSchema): boolean {
  return Object.keys(schema).every((keyword) => keyword === "type" || keyword === "enum");
}

function typed(types: readonly string[]): JSONSchema {
  if (types.length === 0) return {};
  return { type: types.length === 1 ? types[0] : types };
}

function described(description: unknown, notes: readonly string[]): JSONSchema {
  const own = typeof description === "string" && description !== "" ? [description] : [];
  const text = [...own, ...notes].join(" ");
  return text === "" ? {} : { description: text };
}

function isSmall(schema: ModelSchema): boolean {
  let level: JSONSchema[] = [schema];
  let nodes = 0;
  for (let depth = 0; level.length > 0; depth += 1) {
    nodes += level.length;
    if (depth > MAX_MODEL_SCHEMA_DEPTH || nodes > MAX_MODEL_SCHEMA_NODES) return false;
    level = level.flatMap(partsOf);
  }
  return JSON.stringify(schema).length <= MAX_MODEL_SCHEMA_CHARACTERS;
}

function partsOf(schema: JSONSchema): JSONSchema[] {
  const { properties, items, anyOf, additionalProperties } = schema;
  return [
    ...(isObject(properties) ? Object.values(properties) : []),
    ...(Array.isArray(anyOf) ? (anyOf as unknown[]) : []),
    items,
    additionalProperties,
  ].filter(isObject);
}
