import { MAX_RATED_MODELS } from "../contracts/limits.ts";

/** The share of a model's context that is left for the answer where its length is not limited, and the most that is left. */
const ANSWER_SHARE = 1 / 8;
const MAX_ANSWER_TOKENS = 8_192;
/** An answer that may be longer than this share would leave no room for a conversation. Few answers are as long as they may be. */
const MAX_ANSWER_SHARE = 1 / 2;

interface ContextLimit {
  /** As the server said it. */
  tokens?: number | undefined;
  /** A prompt with more characters has been refused. */
  characters?: number | undefined;
}

/** How long a prompt each model takes, as far as it has said so when it refused one. Each replica learns it by itself. */
export class ContextLimits {
  readonly #limits = new Map<string, ContextLimit>();

  /** The characters that a whole prompt may have. Infinity until the model has refused one. */
  charactersFor(
    model: string,
    rate: { charactersPerToken: number; answerTokens: number | undefined },
  ): number {
    const { tokens = Infinity, characters = Infinity } = this.#limits.get(model) ?? {};
    const wanted = rate.answerTokens ?? Math.min(tokens * ANSWER_SHARE, MAX_ANSWER_TOKENS);
    const answer = Math.min(wanted, tokens * MAX_ANSWER_SHARE);
    return Math.min((tokens - answer) * rate.charactersPerToken, characters);
  }

  /** Notes the number of tokens that the model takes, with the answer. */
  learnTokens(model: string, tokens: number): void {
    this.#keep(model, { ...this.#limits.get(model), tokens });
  }

  /** Notes that a longer prompt than this is likely to be refused. */
  learnCharacters(model: string, characters: number): void {
    const known = this.#limits.get(model);
    const least = Math.min(known?.characters ?? Infinity, characters);
    this.#keep(model, { ...known, characters: least });
  }

  #keep(model: string, limit: ContextLimit): void {
    this.#limits.set(model, limit);
    if (this.#limits.size <= MAX_RATED_MODELS) return;
    for (const oldest of this.#limits.keys()) {
      this.#limits.delete(oldest);
      return;
    }
  }
}
