import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HistoryMessage } from "../sessions/history-message.ts";
import { withinBudget } from "./history-budget.ts";
import { charactersIn, charactersOf, TokenRates } from "./token-rates.ts";

/** A question and its answer, with calls of tools in between. */
const aTurn = fc.record({
  question: fc.string({ maxLength: 40 }),
  answer: fc.string({ maxLength: 40 }),
  results: fc.array(fc.string({ maxLength: 40 }), { maxLength: 3 }),
});

function messagesOf(turns: readonly { question: string; answer: string; results: string[] }[]) {
  return turns.flatMap(({ question, answer, results }, index): HistoryMessage[] => {
    const turnId = `turn-${index}`;
    const toolCalls = results.map((_, call) => ({
      id: `${index}-${call}`,
      name: "t",
      arguments: {},
    }));
    return [
      { role: "user", turnId, content: question },
      { role: "assistant", turnId, content: "", toolCalls },
      ...results.map((result, call): HistoryMessage => ({
        role: "tool",
        turnId,
        toolCallId: `${index}-${call}`,
        toolName: "t",
        result,
      })),
      { role: "assistant", turnId, content: answer },
    ];
  });
}

const charactersOfAll = (messages: readonly HistoryMessage[]): number =>
  messages.reduce((sum, message) => sum + charactersOf(message), 0);

describe("the history within a budget", () => {
  it("is the longest run of whole turns up to the newest that fits, whatever the turns and the budget are", () => {
    fc.assert(
      fc.property(
        fc.array(aTurn, { maxLength: 12 }),
        fc.nat(600),
        fc.integer({ min: 1, max: 8 }),
        (turns, tokens, charactersPerToken) => {
          const history = messagesOf(turns);
          const kept = withinBudget(history, { tokens, charactersPerToken });
          expect(kept).toEqual(history.slice(history.length - kept.length));
          expect(kept[0]?.role ?? "user").toBe("user");
          const calls = kept.flatMap((message) =>
            message.role === "assistant" ? (message.toolCalls ?? []).map(({ id }) => id) : [],
          );
          const results = kept.flatMap((message) =>
            message.role === "tool" ? [message.toolCallId] : [],
          );
          expect(results).toEqual(calls);

          const room = tokens * charactersPerToken;
          expect(charactersOfAll(kept)).toBeLessThanOrEqual(room);
          const cut = turns.length - new Set(kept.map(({ turnId }) => turnId)).size;
          const oneMore = history.filter(({ turnId }) => turnId === `turn-${cut - 1}`);
          const wouldFit = charactersOfAll(kept) + charactersOfAll(oneMore) <= room;
          expect(cut > 0 && wouldFit).toBe(false);
        },
      ),
    );
  });

  it("is all of it, and the same array, where all of it fits", () => {
    const history = messagesOf([{ question: "a", answer: "b", results: [] }]);
    expect(withinBudget(history, { tokens: 1_000, charactersPerToken: 4 })).toBe(history);
  });

  it("is nothing where the newest turn alone is too much", () => {
    const history = messagesOf([{ question: "a".repeat(500), answer: "b", results: [] }]);
    expect(withinBudget(history, { tokens: 100, charactersPerToken: 4 })).toEqual([]);
  });

  it("begins with the summary of what was cut, where somebody makes one", () => {
    const turns = ["x".repeat(400), "short"].map((question) => ({
      question,
      answer: "",
      results: [],
    }));
    const kept = withinBudget(messagesOf(turns), {
      tokens: 50,
      charactersPerToken: 4,
      summarize: (cut) => [{ role: "user", turnId: "summary", content: `${cut.length} messages` }],
    });
    expect(kept.map(({ turnId }) => turnId)).toEqual(["summary", "turn-1", "turn-1", "turn-1"]);
    expect(kept[0]).toMatchObject({ content: "3 messages" });
  });
});

describe("tokens", () => {
  it("are guessed by the characters, of which some scripts have more to a token", () => {
    expect(charactersIn("word")).toBe(4);
    expect(charactersIn("слово")).toBe(10);
    expect(charactersIn("東京")).toBe(8);
  });

  it("are known better once a provider has counted, for each model by itself", () => {
    const rates = new TokenRates();
    expect(rates.charactersPerToken("a")).toBe(4);
    rates.observe("a", 1_000, undefined);
    rates.observe("a", 10, 5);
    expect(rates.charactersPerToken("a")).toBe(4);
    for (let count = 0; count < 30; count++) rates.observe("a", 1_000, 500);
    expect(rates.charactersPerToken("a")).toBeCloseTo(2, 3);
    expect(rates.charactersPerToken("b")).toBe(4);
    rates.observe("b", 1_000_000, 60);
    expect(rates.charactersPerToken("b")).toBe(8);
  });

  it("are remembered of a few models only", () => {
    const rates = new TokenRates();
    for (let model = 0; model < 17; model++) rates.observe(String(model), 200, 100);
    expect(rates.charactersPerToken("0")).toBe(4);
    expect(rates.charactersPerToken("16")).toBe(2);
  });
});
