/** Reads a validator of a pack, in the spellings that packs have for its parameters. */
import { z } from "zod";
import type { PackValidator } from "../document/validators.ts";
import {
  MAX_BANNED_WORD_CHARACTERS,
  MAX_BANNED_WORDS,
  MAX_VALIDATORS,
  MAX_VALIDATOR_RETRIES,
  PERSONAL_DATA,
  type PersonalData,
  type ValidatorConfig,
  validatorConfigSchema,
} from "./validator-config.ts";

export type ReadValidator =
  | { readonly ok: true; readonly config: ValidatorConfig }
  /** Why it is not run, as a sentence without its end. */
  | { readonly ok: false; readonly problem: string };

/** About as many characters as a token has. */
const CHARACTERS_A_TOKEN = 4;

type Params = Readonly<Record<string, unknown>>;
type Rule = (params: Params) => Params;

const RULES: Readonly<Record<string, Rule>> = {
  banned_words: (params) => ({
    type: "banned_words",
    words: firstOf(params, "words", "patterns", "banned_words"),
    withinWords: firstOf(params, "match_mode") === "contains",
  }),
  max_length: (params) => ({ type: "length", maxCharacters: mostCharacters(params) ?? "" }),
  min_length: (params) => ({
    type: "length",
    minCharacters: firstOf(params, "min_characters", "min_chars", "min", "min_length", "value"),
  }),
  length: (params) => ({
    type: "length",
    maxCharacters: mostCharacters(params),
    minCharacters: firstOf(params, "min_characters", "min_chars", "min", "min_length"),
  }),
  max_sentences: (params) => ({
    type: "max_sentences",
    max: firstOf(params, "max_sentences", "max", "value"),
  }),
  regex_match: (params) => ({ type: "regex_match", pattern: firstOf(params, "pattern", "regex") }),
  required_fields: (params) => ({
    type: "required_fields",
    fields: firstOf(params, "fields", "required_fields"),
  }),
  json_schema: (params) => ({ type: "json_schema", schema: firstOf(params, "schema") }),
  pii_detection: (params) => ({
    type: "pii_detection",
    kinds: personalData(firstOf(params, "types", "kinds", "patterns")),
  }),
};

const VALIDATOR_TYPES: readonly string[] = Object.keys(RULES);

const directionSchema = z.enum(["input", "output", "both"]);

/** Those that are switched on, with their place in the prompt. Beyond MAX_VALIDATORS none is run. */
export function enabledValidators(
  validators: readonly PackValidator[],
): { readonly validator: PackValidator; readonly index: number }[] {
  return validators
    .map((validator, index) => ({ validator, index }))
    .filter(({ validator }) => validator.enabled !== false)
    .slice(0, MAX_VALIDATORS);
}

export function readValidator(validator: PackValidator): ReadValidator {
  const { type: name, fail_on_violation: fails = false, message, params = {} } = validator;
  const rule = Object.hasOwn(RULES, name) ? RULES[name] : undefined;
  if (rule === undefined) {
    const known = VALIDATOR_TYPES.join(", ");
    return { ok: false, problem: `is not run: "${name}" is not known here; known are ${known}` };
  }
  const direction = directionSchema.safeParse(params["direction"] ?? "output");
  if (!direction.success) {
    return { ok: false, problem: "is not run: params.direction must be input, output or both" };
  }
  const config = validatorConfigSchema.safeParse({
    ...rule(params),
    name,
    fails,
    message,
    retry: params["retry"] ?? 0,
    input: direction.data !== "output",
    output: direction.data !== "input",
  });
  return config.success
    ? { ok: true, config: config.data }
    : { ok: false, problem: `is not run: ${needs(name)}` };
}

function needs(name: string): string {
  const retry = `retry from 0 to ${MAX_VALIDATOR_RETRIES}`;
  switch (name) {
    case "banned_words":
      return `params needs words, up to ${MAX_BANNED_WORDS} of up to ${MAX_BANNED_WORD_CHARACTERS} characters; ${retry}`;
    case "max_length":
      return `params needs max_characters or max_tokens; ${retry}`;
    case "min_length":
      return `params needs min_characters; ${retry}`;
    case "max_sentences":
      return `params needs max_sentences; ${retry}`;
    case "regex_match":
      return `params needs pattern; ${retry}`;
    case "required_fields":
      return `params needs fields; ${retry}`;
    case "json_schema":
      return `params needs schema; ${retry}`;
    case "pii_detection":
      return `params.types may have ${PERSONAL_DATA.join(", ")}; ${retry}`;
    default:
      return `params cannot be read; ${retry}`;
  }
}

function firstOf(params: Params, ...names: readonly string[]): unknown {
  const name = names.find((each) => Object.hasOwn(params, each));
  return name === undefined ? undefined : params[name];
}

/** The lower one of both limits. */
function mostCharacters(params: Params): unknown {
  const characters = firstOf(params, "max_characters", "max_chars", "max", "max_length", "value");
  const tokens = params["max_tokens"];
  if (typeof tokens !== "number") return characters;
  const asCharacters = tokens * CHARACTERS_A_TOKEN;
  return typeof characters === "number" ? Math.min(characters, asCharacters) : asCharacters;
}

const SPELLINGS: Readonly<Record<string, PersonalData>> = {
  email: "email",
  "e-mail": "email",
  email_address: "email",
  phone: "phone",
  phone_number: "phone",
  card: "credit_card",
  credit_card: "credit_card",
  iban: "iban",
};

/** All kinds unless some are named. A kind that is not known makes the whole rule unreadable, since it would not be looked for. */
function personalData(written: unknown): unknown {
  if (written === undefined || written === null) return [...PERSONAL_DATA];
  const names = Array.isArray(written) ? (written as unknown[]) : [written];
  return names.map((name) => {
    const key = typeof name === "string" ? name.toLowerCase() : "";
    return Object.hasOwn(SPELLINGS, key) ? SPELLINGS[key] : name;
  });
}
