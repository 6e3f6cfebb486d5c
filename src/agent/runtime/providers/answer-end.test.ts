import { describe, expect, it } from "vitest";
import { endOfAnswer } from "./answer-end.ts";

describe("the end of an answer", () => {
  it.each([
    ["stop", "stop"],
    ["tool_calls", "tool-calls"],
    ["end_turn", "stop"],
    ["pause_turn", "stop"],
    ["STOP", "tool-calls"],
    ["eos", "other"],
    ["EOS_TOKEN", "other"],
    ["<|im_end|>", "other"],
    ["end_turn", "other"],
    ["stop_sequence", "other"],
    ["COMPLETE", "other"],
    ["Completed", "other"],
    ["tool_use", "other"],
    [" stop ", "other"],
    ["eot_token", "other"],
    ["FinishReason.STOP", "other"],
    ["FINISH_REASON_STOP", "other"],
  ] as const)("is complete with %j (%s)", (raw, unified) => {
    expect(endOfAnswer({ raw, unified })).toEqual({ type: "complete" });
  });

  it.each([
    "length",
    "MAX_TOKENS",
    "max_output_tokens",
    "model_length",
    "max-new-tokens",
    "FINISH_REASON_MAX_TOKENS",
  ])("is at a length with %j", (raw) => {
    expect(endOfAnswer({ raw, unified: "other" })).toEqual({ type: "length" });
  });

  it.each([
    ["content_filter", "content-filter"],
    ["SAFETY", "content-filter"],
    ["refusal", "content-filter"],
    ["sensitive", "other"],
    ["guardrail_intervened", "other"],
    ["content_policy_violation", "other"],
    ["SPII", "other"],
    ["ERROR_TOXIC", "other"],
  ] as const)("is at a filter with %j (%s)", (raw, unified) => {
    expect(endOfAnswer({ raw, unified })).toEqual({ type: "content-filter" });
  });

  it("is complete for a model that declines in its own words", () => {
    expect(endOfAnswer({ raw: "stop", unified: "content-filter" })).toEqual({ type: "complete" });
    expect(endOfAnswer({ raw: undefined, unified: "content-filter" })).toEqual({
      type: "complete",
    });
  });

  it.each([
    ["error", "other"],
    ["error", "error"],
    ["abort", "other"],
    ["network_error", "other"],
    ["insufficient_system_resource", "other"],
    ["UNEXPECTED_TOOL_CALL", "other"],
    ["MALFORMED_FUNCTION_CALL", "error"],
    ["OTHER", "other"],
    ["rate_limited", "tool-calls"],
    ["compaction", "other"],
  ] as const)("is a failure with %j (%s)", (raw, unified) => {
    expect(endOfAnswer({ raw, unified })).toEqual({ type: "failed", word: raw });
  });

  it("is not known where there is no word for it", () => {
    for (const raw of [undefined, "", " "]) {
      const unified = raw === undefined ? "interrupted" : "other";
      expect(endOfAnswer({ raw, unified })).toEqual({ type: "interrupted" });
    }
    expect(endOfAnswer({ raw: undefined, unified: "error" })).toEqual({
      type: "failed",
      word: undefined,
    });
  });

  it("shows little of a word, and nothing but letters, digits, and three signs", () => {
    const raw = `error: <b>\u001b[31m"x" 10.0.0.1${"y".repeat(100)}`;
    const end = endOfAnswer({ raw, unified: "other" });
    expect(end).toMatchObject({ word: expect.stringMatching(/^errorb31mx10\.0\.0\.1y+$/) });
    expect(end.type === "failed" && end.word).toHaveLength(64);
    expect(endOfAnswer({ raw: "?!", unified: "other" })).toEqual({
      type: "failed",
      word: undefined,
    });
  });
});
