import { describe, expect, it } from "vitest";
import { AnswerContinuation } from "./answer-continuation.ts";

function sent(said: string, ...pieces: string[]) {
  const continuation = new AnswerContinuation(said);
  const fresh = pieces.map((piece) => continuation.take(piece)).join("");
  return { fresh, whole: continuation.wholeOf(pieces.join("")) };
}

describe("an answer that goes on behind its interruption", () => {
  it.each([
    ["goes on", "The sun ", ["is ", "shining."], "is shining.", "The sun is shining."],
    [
      "says the same again",
      "The sun ",
      ["The", " sun is", " shining."],
      "is shining.",
      "The sun is shining.",
    ],
    ["says no more than the same", "The sun.", ["The sun."], "", "The sun."],
    ["stops in what it said", "The sun is", ["The sun"], "", "The sun is"],
    ["begins as what it said did", "ab", ["a", "c"], "ac", "abac"],
    [
      "says the same behind a break",
      "\n\nThe sun",
      ["The sun shines."],
      " shines.",
      "The sun shines.",
    ],
    [
      "says the same with its own break",
      "The sun",
      ["\n", "The sun shines."],
      " shines.",
      "\nThe sun shines.",
    ],
    ["says nothing", "The sun", [], "", "The sun"],
  ])("is joined to what was said when the model %s", (_, said, pieces, fresh, whole) => {
    expect(sent(said, ...pieces)).toEqual({ fresh, whole });
  });

  it("keeps the parts that the provider wants back in their places", () => {
    const continuation = new AnswerContinuation("The sun ");
    continuation.take("shines.");
    const parts = {
      provider: "anthropic",
      model: "m",
      parts: [
        { type: "reasoning" as const, text: "hm", options: { anthropic: { signature: "s" } } },
        { type: "text" as const, length: 7 },
        { type: "tool-call" as const, id: "c1" },
      ],
    };
    expect(continuation.partsOf(parts)?.parts).toEqual([
      parts.parts[0],
      { type: "text", length: 8 },
      { type: "text", length: 7 },
      { type: "tool-call", id: "c1" },
    ]);
    expect(continuation.partsOf(undefined)).toBeUndefined();
  });
});
