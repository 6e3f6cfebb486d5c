import type { HistoryMessage } from "../sessions/history-message.ts";

/** English text and code, by most tokenizers; what is known before a provider has counted. */
const USUAL_CHARACTERS_PER_TOKEN = 4;
const LEAST = 1;
const MOST = 8;
/** How much the newest count matters. */
const NEWEST = 0.3;
/** A count of so few tokens says more about the wrapping than about the text. */
const MIN_TOKENS = 50;
const MAX_MODELS = 16;
/** Role, separators: what a message costs besides its text. */
const MESSAGE_CHARACTERS = 16;

/** How many characters a token of each model has: guessed at first, and then as its provider counts. */
export class TokenRates {
  readonly #charactersPerToken = new Map<string, number>();

  charactersPerToken(model: string): number {
    return this.#charactersPerToken.get(model) ?? USUAL_CHARACTERS_PER_TOKEN;
  }

  /** A provider has counted so many tokens in a prompt of so many characters. */
  observe(model: string, characters: number, tokens: number | undefined): void {
    if (tokens === undefined || tokens < MIN_TOKENS) return;
    const counted = Math.min(MOST, Math.max(LEAST, characters / tokens));
    const before = this.#charactersPerToken.get(model) ?? counted;
    this.#charactersPerToken.set(model, before + (counted - before) * NEWEST);
    if (this.#charactersPerToken.size <= MAX_MODELS) return;
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

/** Letters beyond Latin take a tokenizer more: about twice as much up to Cyrillic and Arabic, a token each from there on. */
export function charactersIn(text: string): number {
  let characters = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    characters += unit < 0x80 ? 1 : unit < 0x2e80 ? 2 : USUAL_CHARACTERS_PER_TOKEN;
  }
  return characters;
}

function jsonOf(value: unknown): string {
  return value === undefined ? "" : JSON.stringify(value);
}
