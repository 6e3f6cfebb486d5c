import { describe, expect, it } from "vitest";
import { Departures } from "./departures.ts";
import { createGoogleMender } from "./google-stream.ts";
import type { Fields } from "./json-fields.ts";

function mend(event: Fields, name?: string): Fields[] {
  return createGoogleMender(new Departures()).mend(event, name);
}

const said = (parts: unknown, more: Fields = {}): Fields => ({
  candidates: [{ content: { parts }, ...more }],
});

describe("a chunk of Google's protocol", () => {
  it.each<[string, unknown, Fields[]]>([
    [
      "texts and thoughts",
      [{ text: "a" }, { text: "b", thought: true }],
      [{ text: "a" }, { text: "b", thought: true }],
    ],
    [
      "a signature",
      [{ text: "", thoughtSignature: "S" }, { thoughtSignature: "T" }],
      [
        { text: "", thoughtSignature: "S" },
        { text: "", thoughtSignature: "T" },
      ],
    ],
    ["texts alone, and nothing", ["a", null, { text: null }, { video: 1 }], [{ text: "a" }]],
    ["one part outside of a list", { text: "a" }, [{ text: "a" }]],
    [
      "a call with arguments as a text",
      [{ functionCall: { name: "f", args: '{"a":1}', id: 3 } }],
      [{ functionCall: { id: "3", name: "f", args: { a: 1 } } }],
    ],
    [
      "a call with arguments that are none",
      [{ functionCall: { name: "f", args: "x" } }],
      [{ functionCall: { name: "f", args: "x" } }],
    ],
    [
      "a signed call without arguments",
      [{ functionCall: { name: "f", args: null }, thoughtSignature: "S" }],
      [{ functionCall: { name: "f" }, thoughtSignature: "S" }],
    ],
    [
      "a call in pieces",
      [{ functionCall: { name: "f", partialArgs: [], willContinue: true } }],
      [{ functionCall: { name: "f", partialArgs: [], willContinue: true } }],
    ],
  ])("may have %s", (_what, parts, wanted) => {
    expect(mend(said(parts))).toEqual([said(wanted)]);
  });

  it.each<[string, Fields, Fields[]]>([
    [
      "fields of no use",
      { ...said([{ text: "a" }], { safetyRatings: "x", finishReason: "" }), modelVersion: 7 },
      [said([{ text: "a" }])],
    ],
    [
      "no parts",
      { candidates: [{ content: {}, finishReason: "STOP" }] },
      [{ candidates: [{ finishReason: "STOP" }] }],
    ],
    ["a text as its content", { candidates: [{ content: "a" }] }, [said([{ text: "a" }])]],
    ["no candidates", { candidates: [], usageMetadata: null }, []],
    [
      "counts of odd types",
      {
        usageMetadata: { promptTokenCount: "5", totalTokenCount: null, promptTokensDetails: [{}] },
      },
      [{ usageMetadata: { promptTokenCount: 5 } }],
    ],
    [
      "a reason why it was blocked",
      { promptFeedback: { blockReason: "SAFETY", safetyRatings: 1 } },
      [{ promptFeedback: { blockReason: "SAFETY" } }],
    ],
    ["a response around it", { response: said([{ text: "a" }]) }, [said([{ text: "a" }])]],
    [
      "an error",
      { error: { code: "429", status: "RESOURCE_EXHAUSTED" } },
      [{ error: { code: 429, message: "error", status: "RESOURCE_EXHAUSTED" } }],
    ],
    [
      "an error as a text",
      { error: "boom" },
      [{ error: { code: null, message: "boom", status: "UNKNOWN" } }],
    ],
    ["an error that says nothing", { error: {}, candidates: null }, []],
    ["candidates of another protocol", { candidates: 7 }, [{ candidates: 7 }]],
    [
      "a token to go on with",
      said([], { finishReason: "CONTINUATION", continuationToken: "t" }),
      [{ candidates: [{ finishReason: "CONTINUATION", continuationToken: "t" }] }],
    ],
  ])("may have %s", (_what, event, wanted) => {
    expect(mend(event)).toEqual(wanted);
  });

  it("says that the answer may end where it does not go on in another request", () => {
    const mender = createGoogleMender(new Departures());
    mender.mend(said([], { finishReason: "CONTINUATION" }), undefined);
    expect(mender.mayEnd).toBe(false);
    mender.mend(said([], { finishReason: "STOP" }), undefined);
    expect(mender.mayEnd).toBe(true);
  });

  it("does not say so where every chunk has a reason", () => {
    const mender = createGoogleMender(new Departures());
    for (const text of ["a", "b"])
      mender.mend(said([{ text }], { finishReason: "STOP" }), undefined);
    expect(mender.mayEnd).toBe(false);
  });

  it("may write its fields with underscores", () => {
    const snake = {
      candidates: [
        {
          content: { parts: [{ function_call: { name: "f", args: {} }, thought_signature: "S" }] },
          finish_reason: "STOP",
        },
      ],
      usage_metadata: { prompt_token_count: 3 },
    };
    const camel = {
      ...said([{ functionCall: { name: "f", args: {} }, thoughtSignature: "S" }], {
        finishReason: "STOP",
      }),
      usageMetadata: { promptTokenCount: 3 },
    };
    expect(mend(snake)).toEqual(mend(camel));
    expect(mend({ prompt_feedback: { block_reason: "SAFETY" } })).toEqual([
      { promptFeedback: { blockReason: "SAFETY" } },
    ]);
  });
});

describe("a call of Google's protocol", () => {
  const calls = (...names: string[]): Fields =>
    said(names.map((name) => ({ functionCall: { name, args: {} } })));

  it("is made once when its event came twice, and as often as it stands in one event or apart from it", () => {
    const mender = createGoogleMender(new Departures());
    const mended = [calls("f", "f"), calls("f", "f"), said([{ text: "a" }]), calls("f")].map(
      (event) => mender.mend(event, undefined).length,
    );
    expect(mended).toEqual([1, 0, 1, 1]);
  });
});
