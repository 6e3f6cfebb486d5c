/** Rules of a text as a whole. What it takes to judge one is bounded, and a text that is too much work keeps no rule. */
import { isTooDeep } from "../document/json-depth.ts";
import { Patterns } from "../patterns/patterns.ts";
import { WorkBudget } from "../patterns/work-budget.ts";
import { compileSchema } from "../schema/compile-schema.ts";
import type { ValidatorOf } from "./validator-config.ts";

export type WholeTextConfig = ValidatorOf<
  "length" | "max_sentences" | "regex_match" | "required_fields" | "json_schema"
>;

/** To judge one text by one rule. A step is about ten nanoseconds. */
export const MAX_TEXT_STEPS = 10_000_000;

/** Answers whether a text keeps the rule. It may be asked any number of times. */
export function wholeTextRule(config: WholeTextConfig): (text: string) => boolean {
  switch (config.type) {
    case "length": {
      const { minCharacters = 0, maxCharacters = Infinity } = config;
      return (text) => {
        const characters = lengthIn(text, maxCharacters);
        return characters >= minCharacters && characters <= maxCharacters;
      };
    }
    case "max_sentences":
      return (text) => sentences(text) <= config.max;
    case "regex_match": {
      const patterns = new Patterns(new WorkBudget(MAX_TEXT_STEPS));
      return (text) => patterns.test(config.pattern, text, stepsForText()) === "matches";
    }
    case "required_fields":
      return (text) => {
        const value = parsed(text);
        return config.fields.every((field) => hasField(value, field));
      };
    case "json_schema": {
      const schema = compileSchema(config.schema);
      return (text) => {
        const value = parsed(text);
        if (!schema.ok || value === undefined) return false;
        return schema.matches(value, MAX_TEXT_STEPS) === true;
      };
    }
  }
}

function stepsForText(): WorkBudget {
  return new WorkBudget(MAX_TEXT_STEPS);
}

/** Characters as people count them are code points; those beyond `most` are not counted. */
function lengthIn(text: string, most: number): number {
  if (text.length <= most && !/[\uD800-\uDBFF]/.test(text)) return text.length;
  let characters = 0;
  for (const _ of text) {
    characters += 1;
    if (characters > most) break;
  }
  return characters;
}

/** An end of a sentence is a mark with a blank or nothing behind it, so that no number or address has one. */
function sentences(text: string): number {
  const trimmed = text.trim();
  if (trimmed === "") return 0;
  const ends = trimmed.match(/[.!?…]+["'”’)\]]*(?=\s|$)|[。！？]/gu)?.length ?? 0;
  return /(?:[.!?…]["'”’)\]]*|[。！？])$/u.test(trimmed) ? ends : ends + 1;
}

/** The JSON that a text is, also in the fences in which models put it. */
function parsed(text: string): unknown {
  const trimmed = text.trim();
  const [, fenced] = /^```(?:json)?\s*\n([\s\S]*?)\n?```$/i.exec(trimmed) ?? [];
  try {
    const value = JSON.parse(fenced ?? trimmed) as unknown;
    return isTooDeep(value) ? undefined : value;
  } catch {
    return undefined;
  }
}

/** A field may be the path to one within others, such as `address.city`. */
function hasField(value: unknown, field: string): boolean {
  if (hasOwn(value, field)) return true;
  let found = value;
  for (const step of field.split(".")) {
    if (!hasOwn(found, step)) return false;
    found = (found as Record<string, unknown>)[step];
  }
  return true;
}

function hasOwn(value: unknown, field: string): boolean {
  return typeof value === "object" && value !== null && Object.hasOwn(value, field);
}
