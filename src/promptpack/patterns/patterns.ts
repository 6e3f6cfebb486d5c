/**
 * Foreign patterns: who writes a pack or the schema of a tool must not be able to hold up a control plane or an agent. They run on
 * RE2, which needs no more steps than the pattern's length times that of the value, and both are paid for from a budget.
 */
import { RE2JS, RE2JSSyntaxException } from "re2js";
import { patternWork } from "./pattern-work.ts";
import type { WorkBudget } from "./work-budget.ts";

export const MAX_PATTERN_CHARACTERS = 4_096;
/** To compile one pattern: about 10,000 instructions. */
export const MAX_PATTERN_STEPS = 2_000_000;
/** To compile a pattern, whatever it is, and to read a character of one. */
const COMPILE_STEPS = 5_000;
const STEPS_A_CHARACTER = 100;
/** For a match, whatever it is. */
const MATCH_STEPS = 500;

/** A pattern that cannot be judged matches nothing, and says why. */
export type PatternVerdict = "matches" | "differs" | { readonly problem: string };

export const TOO_MUCH_WORK =
  "is too much work, together with what was checked before it; use shorter values or simpler patterns";

type Compiled = { readonly program: RE2JS } | { readonly problem: string };

/** The patterns of one text, or of several that are judged together. Each is compiled once, however often it is there. */
export class Patterns {
  readonly #budget: WorkBudget;
  readonly #toRE2: (pattern: string) => string;
  readonly #compiled = new Map<string, Compiled>();

  /** `toRE2` writes a pattern of another syntax in that of RE2. */
  constructor(budget: WorkBudget, toRE2: (pattern: string) => string = (pattern) => pattern) {
    this.#budget = budget;
    this.#toRE2 = toRE2;
  }

  /**
   * Why the pattern is refused, as the end of a sentence that begins with its place. What it takes to compile it may come from
   * another budget.
   */
  problemOf(pattern: string, budget = this.#budget): string | undefined {
    const compiled = this.#compile(pattern, budget);
    return "problem" in compiled ? compiled.problem : undefined;
  }

  /** Looks for the pattern anywhere in the value. What that takes may come from another budget. */
  test(pattern: string, value: string, budget = this.#budget): PatternVerdict {
    const compiled = this.#compile(pattern, budget);
    if ("problem" in compiled) return compiled;
    const { program } = compiled;
    const steps = MATCH_STEPS + program.programSize() * (value.length + 1);
    if (!budget.take(steps)) return { problem: TOO_MUCH_WORK };
    // A matcher keeps no states: `program.test` would, up to 8 MB for each pattern.
    return program.matcher(value).find() ? "matches" : "differs";
  }

  #compile(pattern: string, budget: WorkBudget): Compiled {
    const known = this.#compiled.get(pattern);
    if (known !== undefined) return known;
    const compiled = this.#compileNew(pattern, budget);
    // Another budget may have more left.
    const isJudged = !("problem" in compiled) || compiled.problem !== TOO_MUCH_WORK;
    if (isJudged) this.#compiled.set(pattern, compiled);
    return compiled;
  }

  #compileNew(pattern: string, budget: WorkBudget): Compiled {
    if (pattern.length > MAX_PATTERN_CHARACTERS) {
      return {
        problem: `is a pattern of more than ${MAX_PATTERN_CHARACTERS} characters; shorten it`,
      };
    }
    // Reading it is work too, also where it is refused.
    if (!budget.take(STEPS_A_CHARACTER * (pattern.length + 1))) {
      return { problem: TOO_MUCH_WORK };
    }
    const source = this.#toRE2(pattern);
    const { steps } = patternWork(source);
    if (steps > MAX_PATTERN_STEPS) return { problem: TOO_LARGE };
    if (!budget.take(COMPILE_STEPS + steps)) return { problem: TOO_MUCH_WORK };
    try {
      return { program: RE2JS.compile(source) };
    } catch (error) {
      return { problem: `is no regular expression: ${reasonOf(error)}` };
    }
  }
}

const TOO_LARGE =
  "is too large a pattern: with its repetitions it unfolds to thousands of items; use smaller counts";

const QUOTED_CHARACTERS = 40;

/** What people write who know other engines, by what RE2 complains of, and what to write in its place. */
const CURES: readonly (readonly [RegExp, string])[] = [
  [/^\(\?<?[=!]/, "there is no lookahead or lookbehind in RE2; say it with a plain pattern"],
  [/^\(\?>/, 'there is no atomic group in RE2; remove the "?>", since nothing is tried twice'],
  [/^\\[1-9k]/, "there is no backreference in RE2; write out what it stands for"],
  [/^\\u/, String.raw`RE2 writes a character by its number as \x{00e9}`],
  [/^\\[pP]/, String.raw`RE2 knows classes like \pL, \p{Lu} and \p{Greek}, and not this one`],
  [/^[*+?}]*\+$/, 'there is no possessive quantifier in RE2; remove the "+"'],
  [
    /^\{\d/,
    "the counts of a repetition are at most 1000 in RE2, nested ones multiplied, and the smaller one comes first",
  ],
];

function reasonOf(error: unknown): string {
  // The engine is not ours: whatever it throws means that the pattern cannot be judged.
  if (!(error instanceof RE2JSSyntaxException)) return "RE2 cannot compile it";
  const at = error.getPattern() ?? "";
  const [, cure] = CURES.find(([sign]) => sign.test(at)) ?? [];
  if (cure !== undefined) return cure;
  const quoted = at.length > QUOTED_CHARACTERS ? `${at.slice(0, QUOTED_CHARACTERS)}…` : at;
  return `${error.getDescription()}${quoted === "" ? "" : ` at ${quoted}`}`;
}
