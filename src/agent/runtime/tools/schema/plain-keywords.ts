import { isType } from "../../../../promptpack/schema/value-keywords.ts";
import type { FlatSchema } from "./flat-schema.ts";
import { listOf } from "./flat-schema.ts";

/** What a schema says of single values, in keywords that every provider takes. */
export interface PlainKeywords {
  readonly types: readonly string[];
  readonly keywords: Readonly<Record<string, unknown>>;
  /** Sentences in place of what a provider refuses. */
  readonly notes: readonly string[];
}

const COUNTS = ["minLength", "maxLength", "minItems", "maxItems"] as const;
/** Gemini takes no other format of a string. */
const FORMATS: readonly unknown[] = ["date-time"];
const MAX_PATTERN_CHARACTERS = 1_000;
const MAX_NOTE_CHARACTERS = 1_000;

export function plainKeywords(flat: FlatSchema): PlainKeywords {
  const { keywords: given } = flat;
  const notes: string[] = [];
  const { types, values } = typesAndValues(flat, notes);
  const keywords: Record<string, unknown> = {};
  if (typeof given["title"] === "string") keywords["title"] = given["title"];
  if (values !== undefined) keywords["enum"] = values;
  const { format } = given;
  if (FORMATS.includes(format)) keywords["format"] = format;
  else if (typeof format === "string" && types.includes("string")) notes.push(`Format: ${format}.`);
  const step = types.includes("integer") && !types.includes("number") ? 1 : 0;
  const minimum = bound(given["minimum"], given["exclusiveMinimum"], step, Math.max);
  const maximum = bound(given["maximum"], given["exclusiveMaximum"], -step, Math.min);
  if (minimum !== undefined) keywords["minimum"] = minimum;
  if (maximum !== undefined) keywords["maximum"] = maximum;
  for (const name of COUNTS) {
    const count = given[name];
    if (Number.isSafeInteger(count) && (count as number) >= 0) keywords[name] = count;
  }
  const { pattern } = given;
  if (typeof pattern === "string" && pattern.length <= MAX_PATTERN_CHARACTERS) {
    keywords["pattern"] = pattern;
  }
  if (given["default"] !== undefined) keywords["default"] = given["default"];
  return { types, keywords, notes };
}

/** `step` leads from an excluded bound to the next value that is allowed. */
function bound(
  included: unknown,
  excluded: unknown,
  step: number,
  stricter: (a: number, b: number) => number,
): number | undefined {
  const bounds = [
    ...(Number.isFinite(included) ? [included as number] : []),
    ...(Number.isFinite(excluded)
      ? [(excluded as number) + (Number.isSafeInteger(excluded) ? step : 0)]
      : []),
  ];
  return bounds.length === 0 ? undefined : bounds.reduce((a, b) => stricter(a, b));
}

/** Gemini takes a list of values only where they are strings with at least one character. */
function typesAndValues(
  flat: FlatSchema,
  notes: string[],
): { types: readonly string[]; values?: readonly string[] } {
  const { keywords } = flat;
  const given = (
    Array.isArray(keywords["type"]) ? listOf(keywords["type"]) : [keywords["type"]]
  ).filter(isType);
  const listed = keywords["const"] === undefined ? listOf(keywords["enum"]) : [keywords["const"]];
  const nullable = keywords["nullable"] === true && given.length > 0 ? ["null"] : [];
  const types = [...new Set([...given, ...nullable])];
  if (listed.length === 0) return { types: types.length > 0 ? types : typesByForm(flat) };
  const texts = listed.filter(
    (value): value is string => typeof value === "string" && value !== "",
  );
  const hasOthers = listed.some((value) => value !== null && !texts.includes(value as string));
  const known = types.length > 0 ? types : [...new Set(listed.map(typeOf))];
  if (hasOthers || texts.length === 0 || !known.includes("string")) {
    notes.push(
      noteOf(
        "One of",
        listed.map((value) => JSON.stringify(value)),
      ),
    );
    return { types: known };
  }
  return {
    types: known.filter((type) => type === "string" || type === "null"),
    values: [...new Set(texts)],
  };
}

function typesByForm({ properties, items }: FlatSchema): string[] {
  if (properties.size > 0) return ["object"];
  return items.length > 0 ? ["array"] : [];
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value;
}

/** `What: one, two.`, cut off where it is long. */
export function noteOf(what: string, items: readonly string[]): string {
  let text = `${what}: `;
  for (const [index, item] of items.entries()) {
    if (text.length + item.length > MAX_NOTE_CHARACTERS) return `${text}….`;
    text += index === items.length - 1 ? `${item}.` : `${item}, `;
  }
  return text;
}
