/** Keywords that judge a value of any type. */
import { canonicalJSON } from "../document/content-hash.ts";
import type { Assertion, KeywordReader, Checking } from "./schema-node.ts";

export const TYPES = ["object", "array", "string", "number", "integer", "boolean", "null"] as const;

export type JSONType = (typeof TYPES)[number];

/** To write a value as text. */
const TEXT_STEPS = 80;
const CHARACTER_STEPS = 5;

export function isOfType(value: unknown, type: JSONType): boolean {
  switch (type) {
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "array":
      return Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    case "null":
      return value === null;
    case "string":
    case "number":
    case "boolean":
      return typeof value === type;
  }
}

export function isType(name: unknown): name is JSONType {
  return (TYPES as readonly unknown[]).includes(name);
}

/** With `nullable`, as OpenAPI 3.0 has it, null is another type. */
export const readType: KeywordReader = (written, { schema, refuse }) => {
  const names = Array.isArray(written) ? (written as unknown[]) : [written];
  if (names.length === 0 || !names.every(isType)) {
    return refuse(`must be one of ${TYPES.join(", ")}, or a list of them`, "type");
  }
  const types: readonly JSONType[] = schema["nullable"] === true ? [...names, "null"] : names;
  const message = `must be ${names.join(",")}`;
  return (value, check) => types.some((type) => isOfType(value, type)) || check.fail(message);
};

export const readConst: KeywordReader = (wanted) => {
  const isEqual = equalTo([wanted]);
  return (value, check) => isEqual(value, check) || check.fail("must be equal to constant");
};

export const readEnum: KeywordReader = (wanted, { budget, refuse }) => {
  if (!Array.isArray(wanted) || wanted.length === 0) {
    return refuse("must be a list of at least one value", "enum");
  }
  if (!budget.take(TEXT_STEPS * wanted.length)) {
    return refuse("has too many values, together with what is beside it", "enum");
  }
  const isEqual = equalTo(wanted);
  return (value, check) =>
    isEqual(value, check) || check.fail("must be equal to one of the allowed values");
};

/** Whether a value is one of those wanted, in time that does not grow with their number. */
function equalTo(wanted: readonly unknown[]): (value: unknown, check: Checking) => boolean {
  const plain = new Set(wanted.filter((one) => typeof one !== "object" || one === null));
  const composed = new Set(
    wanted.filter((one) => typeof one === "object" && one !== null).map(canonicalJSON),
  );
  return (value, check) => {
    if (typeof value !== "object" || value === null) return plain.has(value);
    return composed.size > 0 && composed.has(measuredJSON(value, check));
  };
}

/** The same text for equal values. Its length is paid for. */
export function measuredJSON(value: unknown, check: Checking): string {
  const text = canonicalJSON(value);
  check.take(TEXT_STEPS + CHARACTER_STEPS * text.length);
  return text;
}

/** A schema that is `true` or `false`. */
export const NEVER: Assertion = (_value, check) => check.fail("boolean schema is false");
