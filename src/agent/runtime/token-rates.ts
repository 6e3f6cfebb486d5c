import { MAX_RATED_MODELS } from "../contracts/limits.ts";
import type { HistoryMessage } from "../sessions/history-message.ts";

/** What most tokenizers make of English text and code: the guess until a provider has counted. */
const USUAL_CHARACTERS_PER_TOKEN = 4;
const MIN_CHARACTERS_PER_TOKEN = 1;
const MAX_CHARACTERS_PER_TOKEN = 8;
/** The share of the newest count in the average. */
const NEWEST_SHARE = 0.3;
/** A count of fewer tokens says more about the format of messages than about their text. */
const MIN_TOKENS = 50;
/** What a message costs besides its text: its role and separators. */
const MESSAGE_CHARACTERS = 16;

/** How many characters a token of each model has: a guess at first, and then the average of what its provider counts. */
export class TokenRates {
  readonly #charactersPerToken = new Map<string, number>();

  charactersPerToken(model: string): number {
    return this.#charactersPerToken.get(model) ?? USUAL_CHARACTERS_PER_TOKEN;
  }

  /** Notes that a provider counted `tokens` in a prompt of `characters`. */
  observe(model: string, characters: number, tokens: number | undefined): void {
    if (tokens === undefined || tokens < MIN_TOKENS) return;
    const counted = clamped(characters / tokens);
    const before = this.#charactersPerToken.get(model) ?? counted;
    this.#charactersPerToken.set(model, before + (counted - before) * NEWEST_SHARE);
    if (this.#charactersPerToken.size <= MAX_RATED_MODELS) return;
    for (const oldest of this.#charactersPerToken.keys()) {
      this.#charactersPerToken.delete(oldest);
      return;
    }
  }
}

/** The characters of a message as a tokenizer sees them. */
export function charactersOf(message: HistoryMessage): number {
  switch (message.role) {
    case "user":
      return MESSAGE_CHARACTERS + charactersIn(message.content);
    case "assistant": {
      const { content, toolCalls, providerMetadata } = message;
      const beside = charactersIn(jsonOf(toolCalls)) + charactersIn(jsonOf(providerMetadata));
      return MESSAGE_CHARACTERS + charactersIn(content) + beside;
    }
    case "tool":
      return MESSAGE_CHARACTERS + charactersIn(message.error ?? jsonOf(message.result));
  }
}

/**
 * The length of the text, as the number of ASCII characters that cost as many tokens: other characters cost about twice as
 * much each, and those from U+2E80 on (Chinese, Japanese, Korean) about a token each.
 */
export function charactersIn(text: string): number {
  let characters = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    characters += unit < 0x80 ? 1 : unit < 0x2e80 ? 2 : USUAL_CHARACTERS_PER_TOKEN;
  }
  return characters;
}

function clamped(charactersPerToken: number): number {
  return Math.min(MAX_CHARACTERS_PER_TOKEN, Math.max(MIN_CHARACTERS_PER_TOKEN, charactersPerToken));
}

function jsonOf(value: unknown): string {
  return value === undefined ? "" : JSON.stringify(value);
}
