/**
 * How much of a session's earlier turns a turn tells the model: as much as the agent allows and as the model is known to take.
 * When the model refuses it all the same, fewer of them.
 */
import { MAX_SHORTER_PROMPTS } from "../contracts/limits.ts";
import type { HistoryMessage } from "../sessions/history-message.ts";
import type { ContextLimits } from "./context-limits.ts";
import { withinBudget } from "./history-budget.ts";
import type { ProviderFailure } from "./providers/provider-error.ts";
import { charactersOf, type TokenRates } from "./token-rates.ts";

/** A shorter prompt fits into the context of every server. */
const MIN_SUSPECT_CHARACTERS = 1_000;

export interface PromptFitOptions {
  /** Names the model in what the replica has learned. */
  model: string;
  limits: ContextLimits;
  rates: TokenRates;
  /** The characters that every prompt of the turn has beside the messages: those of the system prompt and of the tools. */
  besideCharacters: number;
  /** The most tokens that an answer may have, where that is limited. */
  answerTokens: number | undefined;
  /** The most tokens that the agent tells of the earlier turns. */
  maxHistoryTokens: number;
}

export interface Refusal {
  /** What the model was told of the earlier turns. */
  told: readonly HistoryMessage[];
  /** The messages of the turn itself, which are never left out. */
  own: readonly HistoryMessage[];
  failure: ProviderFailure;
  /** 1 for the first refusal of a step. */
  refusals: number;
}

export interface ShorterPrompt {
  /** What the model is to be told of the earlier turns. */
  told: readonly HistoryMessage[];
  /** To be called when the model has answered. */
  answered: () => void;
}

export class PromptFit {
  readonly #options: PromptFitOptions;

  constructor(options: PromptFitOptions) {
    this.#options = options;
  }

  /** The newest earlier turns that fit, with the messages of the turn itself beside them. */
  toldOf(
    history: readonly HistoryMessage[],
    own: readonly HistoryMessage[],
  ): readonly HistoryMessage[] {
    const { rates, model, maxHistoryTokens } = this.#options;
    const charactersPerToken = rates.charactersPerToken(model);
    const room = this.#room(own, charactersPerToken) / charactersPerToken;
    return withinBudget(history, { tokens: Math.min(maxHistoryTokens, room), charactersPerToken });
  }

  /**
   * Notes how long a prompt the model refused. Undefined when there is nothing to leave out, or the model has been asked often
   * enough. The last attempt is made without earlier turns.
   */
  shorterThan({ told, own, failure, refusals }: Refusal): ShorterPrompt | undefined {
    const { rates, model, limits, besideCharacters } = this.#options;
    const toldCharacters = sumOf(told);
    const all = besideCharacters + sumOf(own) + toldCharacters;
    const isRefused = failure.reason === "context_too_long";
    const mayBeRefused = failure.mayBeTooLong === true && all >= MIN_SUSPECT_CHARACTERS;
    if (!isRefused && !mayBeRefused) return undefined;

    const { contextTokens, promptTokens } = failure.contextRefusal ?? {};
    if (promptTokens !== undefined) rates.observe(model, all, promptTokens);
    if (contextTokens !== undefined) limits.learnTokens(model, contextTokens);
    // What the server says is better than a guess, as long as it turns out to be true.
    const isSaid = contextTokens !== undefined && refusals === 1;
    const half = toldCharacters / 2;
    const learn = (): void => limits.learnCharacters(model, all - half);
    if (isRefused && !isSaid) learn();
    if (told.length === 0 || refusals > MAX_SHORTER_PROMPTS) return undefined;

    const charactersPerToken =
      promptTokens === undefined ? rates.charactersPerToken(model) : all / promptTokens;
    const room = this.#room(own, charactersPerToken);
    const wanted = isSaid && room < toldCharacters ? room : Math.min(half, room);
    const characters = refusals === MAX_SHORTER_PROMPTS ? 0 : wanted;
    const tokens = characters / charactersPerToken;
    return {
      told: withinBudget(told, { tokens, charactersPerToken }),
      // A server that said nothing may have had another reason. That a shorter prompt is answered tells.
      answered: isRefused ? () => {} : learn,
    };
  }

  /** Notes that the provider counted so many tokens in a prompt with these messages. */
  counted(messages: readonly HistoryMessage[], tokens: number): void {
    const { rates, model, besideCharacters } = this.#options;
    rates.observe(model, besideCharacters + sumOf(messages), tokens);
  }

  /** The characters that the earlier turns may have. Below 0 where the turn itself is too long. */
  #room(own: readonly HistoryMessage[], charactersPerToken: number): number {
    const { limits, model, besideCharacters, answerTokens } = this.#options;
    const characters = limits.charactersFor(model, { charactersPerToken, answerTokens });
    return characters - besideCharacters - sumOf(own);
  }
}

function sumOf(messages: readonly HistoryMessage[]): number {
  return messages.reduce((sum, message) => sum + charactersOf(message), 0);
}
