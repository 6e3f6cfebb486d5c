/** Reads values of foreign JSON, whose shape nobody has checked. */
export type Fields = Record<string, unknown>;

const NO_FIELDS: Fields = Object.freeze({});

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The fields of an object. Nothing else has any. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : NO_FIELDS;
}

/** The value of the only field that there is beside `unheeded`. Undefined when there are others, or none of this name. */
export function onlyField(value: unknown, name: string, unheeded?: string): unknown {
  if (!isFields(value) || !(name in value)) return undefined;
  for (const other in value) if (other !== name && other !== unheeded) return undefined;
  return value[name];
}

/** The only item of a list. Undefined when there are more, or none. */
export function onlyItem(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? value[0] : undefined;
}

/** A list is taken as it is, one item as a list of it. */
export function listOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return value === undefined || value === null ? [] : [value];
}

/** A text that is not empty. */
export function textIn(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** An id may have been written as a number. */
export function idIn(value: unknown): string | undefined {
  return typeof value === "number" ? String(value) : textIn(value);
}

/** A count may have been written as a text, or as an estimate that is no whole number. */
export function countIn(value: unknown): number | undefined {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  const count = typeof number === "number" ? Math.round(number) : -1;
  return Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}

/** The arguments of a call as JSON text. They may have been written as an object. */
export function argumentsIn(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return value === undefined || value === null ? undefined : JSON.stringify(value);
}
