import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_SHORTER_PROMPTS } from "../contracts/limits.ts";
import type { HistoryMessage } from "../sessions/history-message.ts";
import { ContextLimits } from "./context-limits.ts";
import { PromptFit, type PromptFitOptions } from "./prompt-fit.ts";
import type { ProviderFailure } from "./providers/provider-error.ts";
import { charactersOf, TokenRates } from "./token-rates.ts";

function aTurn(id: string, length: number): HistoryMessage[] {
  return [
    { role: "user", turnId: id, content: "q".repeat(length) },
    { role: "assistant", turnId: id, content: "", toolCalls: [{ id, name: "t", arguments: {} }] },
    { role: "tool", turnId: id, toolCallId: id, toolName: "t", result: "r" },
    { role: "assistant", turnId: id, content: "a".repeat(length) },
  ];
}

function turns(count: number, length: number): HistoryMessage[] {
  return Array.from({ length: count }, (_, index) => aTurn(`turn-${index}`, length)).flat();
}

const question: readonly HistoryMessage[] = [{ role: "user", turnId: "now", content: "And now?" }];

const tooLong: ProviderFailure = { reason: "context_too_long", message: "", retryable: false };

const sizeOf = (messages: readonly HistoryMessage[]): number =>
  messages.reduce((sum, message) => sum + charactersOf(message), 0);

/** Fits of one replica, turn by turn. */
function aReplica(options: Partial<PromptFitOptions> = {}) {
  const learned = { limits: new ContextLimits(), rates: new TokenRates() };
  return () =>
    new PromptFit({
      model: "m",
      besideCharacters: 0,
      answerTokens: undefined,
      maxHistoryTokens: 64_000,
      ...learned,
      ...options,
    });
}

/** Asks a model that takes prompts up to so many characters; answers what it was asked with each time. */
function ask(
  fit: PromptFit,
  history: readonly HistoryMessage[],
  limit: number,
  refusal: (characters: number) => ProviderFailure = () => tooLong,
  own = question,
) {
  const asked: number[] = [];
  let told = fit.toldOf(history, own);
  for (let refusals = 1; ; refusals += 1) {
    asked.push(told.length / 4);
    const characters = sizeOf([...told, ...own]);
    if (characters <= limit) return { asked, isAnswered: true };
    const shorter = fit.shorterThan({ told, own, failure: refusal(characters), refusals });
    if (shorter === undefined) return { asked, isAnswered: false };
    told = shorter.told;
  }
}

describe("a prompt that the model refuses as too long", () => {
  it("has half of the earlier turns the next time, and the replica remembers what was refused", () => {
    const nextFit = aReplica();
    expect(ask(nextFit(), turns(20, 500), 12_000)).toEqual({ asked: [20, 9], isAnswered: true });
    expect(ask(nextFit(), turns(21, 500), 12_000)).toEqual({ asked: [9], isAnswered: true });
  });

  it("has as many of them as fit where the server says how many tokens it takes", () => {
    const nextFit = aReplica();
    // A token of this model has two characters.
    const refusal = (characters: number): ProviderFailure => ({
      ...tooLong,
      contextRefusal: { contextTokens: 8_000, promptTokens: characters / 2 },
    });
    const history = turns(20, 500);
    expect(ask(nextFit(), history, 16_000, refusal)).toEqual({ asked: [20, 12], isAnswered: true });
    expect(ask(nextFit(), history, 16_000, refusal)).toEqual({ asked: [12], isAnswered: true });
  });

  it("has none of them in the end, and is given up when it is too long by itself", () => {
    const nextFit = aReplica();
    const alone = ask(nextFit(), turns(64, 500), 100);
    expect(alone).toEqual({ asked: [64, 31, 15, 0], isAnswered: true });
    expect(alone.asked).toHaveLength(1 + MAX_SHORTER_PROMPTS);
    expect(ask(aReplica()(), turns(64, 500), 1).isAnswered).toBe(false);
    expect(ask(aReplica()(), [], 1)).toEqual({ asked: [0], isAnswered: false });
  });

  it("does not stand in the way of the next turn, which is told nothing of it", () => {
    const nextFit = aReplica();
    const long: HistoryMessage[] = [{ role: "user", turnId: "long", content: "x".repeat(50_000) }];
    expect(ask(nextFit(), turns(2, 100), 10_000, undefined, long).isAnswered).toBe(false);
    expect(ask(nextFit(), [...turns(2, 100), ...long], 10_000).asked).toEqual([0]);
  });

  it("leaves room for the answer", () => {
    const nextFit = aReplica({ answerTokens: 3_000 });
    const refusal = (): ProviderFailure => ({
      ...tooLong,
      contextRefusal: { contextTokens: 8_000 },
    });
    expect(ask(nextFit(), turns(40, 500), 20_000, refusal)).toEqual({
      asked: [40, 17],
      isAnswered: true,
    });
  });

  it("is cut by halves where what the server says of its length turns out to be wrong", () => {
    const refusal = (): ProviderFailure => ({
      ...tooLong,
      contextRefusal: { contextTokens: 1_000_000 },
    });
    expect(ask(aReplica()(), turns(16, 500), 6_000, refusal)).toEqual({
      asked: [16, 7, 3],
      isAnswered: true,
    });
  });

  it("may be one that was answered by nothing, which counts once a shorter one is answered", () => {
    const nothing: ProviderFailure = {
      reason: "empty",
      message: "",
      retryable: true,
      mayBeTooLong: true,
    };
    const nextFit = aReplica();
    const [fit, told] = [nextFit(), turns(10, 500)];
    const shorter = fit.shorterThan({ told, own: question, failure: nothing, refusals: 1 });
    expect(shorter?.told).toHaveLength(20);
    expect(nextFit().toldOf(told, question)).toHaveLength(40);
    shorter?.answered();
    expect(nextFit().toldOf(told, question)).toHaveLength(20);

    const short = turns(1, 10);
    expect(
      fit.shorterThan({ told: short, own: question, failure: nothing, refusals: 1 }),
    ).toBeUndefined();
    const other: ProviderFailure = { reason: "server_error", message: "", retryable: true };
    expect(fit.shorterThan({ told, own: question, failure: other, refusals: 1 })).toBeUndefined();
  });

  it("comes to an end with whole turns and the message itself, whatever the sizes are", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(3_000), { maxLength: 20 }),
        fc.nat(20_000),
        fc.option(fc.integer({ min: 1, max: 20_000 }), { nil: undefined }),
        fc.option(fc.integer({ min: 1, max: 20_000 }), { nil: undefined }),
        (lengths, limit, contextTokens, promptTokens) => {
          const history = lengths.flatMap((length, index) => aTurn(`turn-${index}`, length));
          const refusal = (): ProviderFailure => ({
            ...tooLong,
            contextRefusal: { contextTokens, promptTokens },
          });
          const { asked, isAnswered } = ask(aReplica()(), history, limit, refusal);
          expect(asked.length).toBeLessThanOrEqual(1 + MAX_SHORTER_PROMPTS);
          expect(asked.every(Number.isInteger)).toBe(true);
          expect(asked).toEqual([...new Set(asked)].toSorted((one, other) => other - one));
          expect(isAnswered).toBe(sizeOf(question) <= limit);
        },
      ),
    );
  });
});
