import type { FieldPath } from "../../api/fields/problems.ts";
import type { Patterns } from "../patterns/patterns.ts";
import type { WorkBudget } from "../patterns/work-budget.ts";

export type JSONObject = Readonly<Record<string, unknown>>;

/** One schema of a JSON Schema, ready to be checked against. Schemas that refer to each other form a graph. */
export interface SchemaNode {
  readonly assertions: Assertion[];
  /** The schemas that judge the same value as this one: behind a `$ref`, in an `allOf` and the like. */
  readonly inPlace: SchemaNode[];
  /** It has to know which parts of a value were judged by then. */
  collects: boolean;
}

/** What an assertion may ask of the check that it is a part of; see `ValueCheck`. */
export interface Checking {
  readonly budget: WorkBudget;
  readonly problems: readonly string[];
  take(steps: number): void;
  run(node: SchemaNode, value: unknown, evaluated?: Evaluated): boolean;
  runAt(key: string | number, node: SchemaNode, value: unknown): boolean;
  merge(from: Evaluated, into: Evaluated | undefined): void;
  attempt(body: () => boolean, takeBack?: "always" | "when valid"): boolean;
  fail(message: string): false;
}

/** Tells `check` what is wrong, and answers whether anything is. `evaluated` is there when somebody asks for it. */
export type Assertion = (
  value: unknown,
  check: Checking,
  evaluated: Evaluated | undefined,
) => boolean;

/** Which properties and items of one value were judged: what `unevaluatedProperties` and `unevaluatedItems` are about. */
export class Evaluated {
  readonly names = new Set<string>();
  readonly items = new Set<number>();

  add({ names, items }: Evaluated): void {
    for (const name of names) this.names.add(name);
    for (const item of items) this.items.add(item);
  }
}

/** What the reader of a keyword works with. */
export interface KeywordContext {
  /** The schema that the keyword stands in. */
  readonly schema: JSONObject;
  readonly patterns: Patterns;
  readonly budget: WorkBudget;
  /** The schema at a place below the keyword's schema, such as `["properties", "city"]`. */
  readonly nodeAt: (value: unknown, ...place: FieldPath) => SchemaNode;
  /** The same for one that judges the same value. */
  readonly inPlaceAt: (value: unknown, ...place: FieldPath) => SchemaNode;
  /** The schema behind a `$ref`, which judges the same value. */
  readonly referred: (reference: string) => SchemaNode;
  /** Throws: the schema is refused. The message follows the name of the place. */
  readonly refuse: (message: string, ...place: FieldPath) => never;
}

/** Reads a keyword; `undefined` when it asks for nothing. */
export type KeywordReader = (value: unknown, context: KeywordContext) => Assertion | undefined;

export function isObject(value: unknown): value is JSONObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
