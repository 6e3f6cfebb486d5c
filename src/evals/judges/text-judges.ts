/** Judges of what was said. They are pure, and what it takes to judge a text is bounded. */
import { isTooDeep } from "../../promptpack/document/json-depth.ts";
import { Patterns } from "../../promptpack/patterns/patterns.ts";
import { WorkBudget } from "../../promptpack/patterns/work-budget.ts";
import { compileSchema } from "../../promptpack/schema/compile-schema.ts";
import { readValidator } from "../../promptpack/validators/read-validator.ts";
import { createValidator } from "../../promptpack/validators/validator.ts";
import {
  answerOf,
  judgedBy,
  needs,
  verdict,
  type JudgeReader,
  type Params,
  type ReadJudge,
} from "./judge.ts";
import { firstOf, isSet, objectIn, textIn, textsIn } from "./params.ts";

/** To compile one pattern, and to judge one text. A step is about ten nanoseconds. */
const MAX_STEPS = 10_000_000;
const MAX_SHOWN_PROBLEMS = 5;

export const TEXT_JUDGES: Readonly<Record<string, JudgeReader>> = {
  contains: (params) => {
    const texts = textsIn(params, ...TEXT_NAMES);
    if (texts === undefined) return needs("patterns, a list of texts");
    const holds = search(params);
    return judgedBy((subject) => {
      const missing = texts.filter((text) => !holds(answerOf(subject), text));
      const why = missing.length === 0 ? "it has all of them" : `it lacks ${listed(missing)}`;
      return verdict(missing.length === 0, why, 1 - missing.length / texts.length);
    });
  },
  contains_any: (params) => {
    const texts = textsIn(params, ...TEXT_NAMES);
    if (texts === undefined) return needs("patterns, a list of texts");
    const holds = search(params);
    return judgedBy((subject) => {
      const found = texts.filter((text) => subject.turns.some(({ answer }) => holds(answer, text)));
      return found.length > 0
        ? verdict(true, `it has ${listed(found)}`)
        : verdict(false, `it has none of ${listed(texts)}`);
    });
  },
  content_excludes: (params) => {
    const texts = textsIn(params, ...TEXT_NAMES);
    if (texts === undefined) return needs("patterns, a list of texts");
    const mode = firstOf(params, "match_mode") ?? "substring";
    if (mode !== "substring" && mode !== "word_boundary") {
      return { ok: false, problem: "params.match_mode must be substring or word_boundary" };
    }
    const holds = mode === "substring" ? search(params) : wordSearch(texts);
    return judgedBy((subject) => {
      const found = texts.filter((text) => subject.turns.some(({ answer }) => holds(answer, text)));
      return found.length === 0
        ? verdict(true, "it has none of them")
        : verdict(false, `it has ${listed(found)}`);
    });
  },
  regex: readRegex,
  json_valid: (params) =>
    judgedBy((subject) => {
      const read = readJSON(answerOf(subject), params);
      return read.ok ? verdict(true, "it is JSON") : verdict(false, read.problem);
    }),
  json_schema: (params) => {
    const schema = objectIn(params, "schema");
    if (schema === undefined) return needs("schema, a JSON Schema");
    const compiled = compileSchema(schema);
    if (!compiled.ok) return { ok: false, problem: `params.schema: ${compiled.problem}` };
    return judgedBy((subject) => {
      const read = readJSON(answerOf(subject), params);
      if (!read.ok) return verdict(false, read.problem);
      const limits = { maxSteps: MAX_STEPS, maxProblems: MAX_SHOWN_PROBLEMS };
      const problems = compiled.check(read.value, limits);
      return problems.length === 0
        ? verdict(true, "it fits the schema")
        : verdict(false, problems.join("; "));
    });
  },
  field_presence: (params) => {
    const fields = textsIn(params, "fields", "required_fields");
    if (fields === undefined) return needs("fields, a list of names");
    const holds = search({});
    return judgedBy((subject) => {
      const missing = fields.filter((field) => !holds(answerOf(subject), field));
      const why = missing.length === 0 ? "it names all fields" : `it lacks ${listed(missing)}`;
      return verdict(missing.length === 0, why, 1 - missing.length / fields.length);
    });
  },
};

/** The types that are also validators. They have the same params, and say the same. */
export const VALIDATOR_TYPES = [
  "banned_words",
  "max_length",
  "min_length",
  "length",
  "max_sentences",
  "required_fields",
  "pii_detection",
] as const;

/** Judges every answer of the subject as the validator of that type would. */
export function byValidator(type: (typeof VALIDATOR_TYPES)[number]): JudgeReader {
  return (params) => {
    const { direction: _, retry: __, ...own } = params;
    const read = readValidator({ type, params: own });
    if (!read.ok) return { ok: false, problem: read.problem.replace(/^is not run: /, "") };
    const validator = createValidator(read.config);
    return judgedBy(({ turns }) => {
      const broken = turns.filter(({ answer }) => !validator.keeps(answer));
      const kept = turns.length - broken.length;
      return broken.length === 0
        ? verdict(true, "it keeps the rule")
        : verdict(false, `it breaks the rule ${type}`, kept / turns.length);
    });
  };
}

const TEXT_NAMES = ["patterns", "pattern", "values", "value", "texts", "text", "words"];

function readRegex(params: Params): ReadJudge {
  const pattern = textIn(params, "pattern", "regex");
  if (pattern === undefined) return needs("pattern, a regular expression");
  const expected = params["expect_match"] ?? true;
  if (typeof expected !== "boolean") {
    return { ok: false, problem: "params.expect_match must be true or false" };
  }
  const patterns = new Patterns(new WorkBudget(MAX_STEPS));
  const problem = patterns.problemOf(pattern);
  if (problem !== undefined) return { ok: false, problem: `params.pattern ${problem}` };
  return judgedBy((subject) => {
    const outcome = patterns.test(pattern, answerOf(subject), new WorkBudget(MAX_STEPS));
    if (typeof outcome === "object") {
      return { score: undefined, passed: false, why: `the answer ${outcome.problem}` };
    }
    const matched = outcome === "matches";
    return verdict(
      matched === expected,
      matched ? "the pattern is in it" : "the pattern is not in it",
    );
  });
}

type Search = (answer: string, text: string) => boolean;

function search(params: Params): Search {
  return isSet(params, "case_sensitive")
    ? (answer, text) => answer.includes(text)
    : (answer, text) => answer.toLowerCase().includes(text.toLowerCase());
}

function wordSearch(texts: readonly string[]): Search {
  const validators = new Map(
    texts.map((text) => {
      const read = readValidator({ type: "banned_words", params: { words: [text] } });
      return [text, read.ok ? createValidator(read.config) : undefined];
    }),
  );
  return (answer, text) => validators.get(text)?.keeps(answer) === false;
}

type ReadJSON =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: string };

/** `allow_wrapped`: it may stand in a fence. `extract_json`: there may be text around it. */
function readJSON(answer: string, params: Params): ReadJSON {
  const wrapped = isSet(params, "allow_wrapped") || isSet(params, "extract_json");
  const fenced = wrapped ? fenceIn(answer) : undefined;
  const cut = isSet(params, "extract_json") ? cutOut(answer) : undefined;
  const candidates = [answer, fenced, cut].filter((text) => text !== undefined);
  for (const candidate of candidates) {
    try {
      const value = JSON.parse(candidate) as unknown;
      if (isTooDeep(value)) return { ok: false, problem: "it is nested too deeply" };
      return { ok: true, value };
    } catch {
      // Another candidate may be JSON.
    }
  }
  return { ok: false, problem: "it is not JSON" };
}

function fenceIn(answer: string): string | undefined {
  const begin = answer.indexOf("```");
  const lineEnd = begin < 0 ? -1 : answer.indexOf("\n", begin);
  const end = lineEnd < 0 ? -1 : answer.indexOf("```", lineEnd);
  return end < 0 ? undefined : answer.slice(lineEnd + 1, end);
}

/** From the first bracket to the last one of its kind. */
function cutOut(answer: string): string | undefined {
  const begin = answer.search(/[{[]/);
  if (begin < 0) return undefined;
  const end = answer.lastIndexOf(answer[begin] === "{" ? "}" : "]");
  return end < begin ? undefined : answer.slice(begin, end + 1);
}

function listed(texts: readonly string[]): string {
  const shown = texts.slice(0, MAX_SHOWN_PROBLEMS).map((text) => JSON.stringify(text));
  const more = texts.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}
