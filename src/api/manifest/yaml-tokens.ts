/** Reads the tokens of YAML within a limit, because what is made of a token takes a hundred times its length, in time and in memory. */
import { type CST, Lexer, Parser } from "yaml";
import { MAX_DEPTH } from "./yaml-value.ts";

/** Some fifty thousand fields. A text of several lines is one token, whatever its length. */
export const MAX_TOKENS = 400_000;

/** After so many errors of syntax nothing more is read. An error costs more than any token, and only the first ones are told. */
const MAX_SYNTAX_ERRORS = 50;

/** The reading stopped at `offset`. */
export class TokenLimitError extends Error {
  override readonly name = "TokenLimitError";
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** How many tokens may still be read. Several texts may share it. */
export class TokenBudget {
  #left = MAX_TOKENS;

  /** Throws a TokenLimitError when the limit is reached. */
  *read(text: string): Generator<CST.Token, void> {
    const parser = new Parser();
    let offset = 0;
    let depth = 0;
    let errors = 0;
    for (const lexeme of new Lexer().lex(text)) {
      this.#left -= 1;
      if (this.#left < 0)
        throw new TokenLimitError("holds too many values and lines; split it", offset);
      if (lexeme === "[" || lexeme === "{") depth += 1;
      if (lexeme === "]" || lexeme === "}") depth -= 1;
      if (depth > MAX_DEPTH) throw new TokenLimitError("nested too deeply", offset);
      offset += lexeme.length;
      for (const token of parser.next(lexeme)) {
        if (token.type === "error") errors += 1;
        yield token;
      }
      if (errors > MAX_SYNTAX_ERRORS) break;
    }
    yield* parser.end();
  }
}
