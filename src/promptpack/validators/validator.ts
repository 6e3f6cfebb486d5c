/** A validator as it is run. */
import { BannedWords } from "./banned-words.ts";
import { PersonalDataJudge } from "./personal-data.ts";
import type { TextJudge } from "./text-judge.ts";
import type { ValidatorConfig } from "./validator-config.ts";
import { wholeTextRule } from "./whole-text.ts";

export interface Validator {
  readonly config: ValidatorConfig;
  /** Judges a text while it comes. `undefined`: only the whole text can be judged. */
  judge?: (() => TextJudge) | undefined;
  /** Whether a whole text keeps the rule. */
  keeps(text: string): boolean;
}

export function createValidator(config: ValidatorConfig): Validator {
  switch (config.type) {
    case "banned_words": {
      const words = new BannedWords(config.words, config);
      return byJudge(config, () => words.judge());
    }
    case "pii_detection":
      return byJudge(config, () => new PersonalDataJudge(config.kinds));
    case "length":
    case "max_sentences":
    case "regex_match":
    case "required_fields":
    case "json_schema":
      return { config, keeps: wholeTextRule(config) };
  }
}

/** Words and data are looked for in a long text by pieces, each of which takes a bounded time. */
function byJudge(config: ValidatorConfig, judge: () => TextJudge): Validator {
  return {
    config,
    judge,
    keeps(text) {
      const own = judge();
      for (let begin = 0; begin < text.length; begin += PIECE_CHARACTERS) {
        if (own.add(text.slice(begin, begin + PIECE_CHARACTERS)) === undefined) return false;
      }
      return own.end();
    },
  };
}

const PIECE_CHARACTERS = 4_096;
