import { describe, expect, it } from "vitest";
import type { TurnRecord } from "../conversation/transcript.ts";
import type { Subject, Verdict } from "./judge.ts";
import { EVAL_TYPES, readJudge } from "./read-judge.ts";

type Call = TurnRecord["toolCalls"][number];

function aTurn(answer: string, fields: Partial<TurnRecord> = {}): TurnRecord {
  return {
    user: "hello",
    answer,
    toolCalls: [],
    finishReason: "stop",
    latencyMs: 100,
    ...fields,
  };
}

function aCall(name: string, fields: Partial<Call> = {}): Call {
  return { name, arguments: {}, result: "done", ...fields };
}

function subjectOf(...turns: TurnRecord[]): Subject {
  return { turns, soFar: turns };
}

async function judged(
  type: string,
  params: Record<string, unknown>,
  subject: Subject | string,
  ask?: (content: string) => string,
): Promise<Verdict> {
  const read = readJudge(type, params);
  if (!read.ok) throw new Error(read.problem);
  return await read.judge(typeof subject === "string" ? subjectOf(aTurn(subject)) : subject, {
    ask: ask && (async ({ content }) => ask(content)),
    signal: new AbortController().signal,
  });
}

describe("a judge of what was said", () => {
  it.each([
    ["contains", { patterns: ["REFUND", "days"] }, "A refund takes 3 days.", true],
    ["contains", { patterns: ["refund", "card"] }, "A refund takes 3 days.", false],
    ["contains", { value: "Refund", case_sensitive: true }, "A refund.", false],
    ["content_includes", { patterns: ["refund"] }, "A refund.", true],
    ["contains_any", { patterns: ["card", "refund"] }, "A refund.", true],
    ["contains_any", { patterns: ["card", "cash"] }, "A refund.", false],
    ["content_excludes", { patterns: ["cash"] }, "A refund.", true],
    ["content_not_includes", { patterns: ["fun"] }, "A refund.", false],
    ["content_excludes", { patterns: ["fun"], match_mode: "word_boundary" }, "A refund.", true],
    ["content_excludes", { patterns: ["fun"], match_mode: "word_boundary" }, "It is fun.", false],
    ["regex", { pattern: "^A \\w+" }, "A refund.", true],
    ["regex_match", { pattern: "\\d" }, "A refund.", false],
    ["content_matches", { pattern: "\\d", expect_match: false }, "A refund.", true],
    ["json_valid", {}, '{"a": 1}', true],
    ["valid_json", {}, "a: 1", false],
    ["json_valid", {}, "```json\n[1]\n```", false],
    ["json_valid", { allow_wrapped: true }, "```json\n[1]\n```", true],
    ["json_valid", { extract_json: true }, 'Here it is: {"a": 1}.', true],
    ["json_schema", { schema: { type: "object", required: ["a"] } }, '{"a": 1}', true],
    ["json_schema", { schema: { type: "object", required: ["a"] } }, "{}", false],
    ["json_schema", { schema: { type: "object" } }, "no JSON", false],
    ["field_presence", { fields: ["name", "price"] }, "Name: x, Price: 2", true],
    ["field_presence", { fields: ["name", "price"] }, "Name: x", false],
    ["max_length", { max: 5 }, "12345", true],
    ["max_length", { max_characters: 5 }, "123456", false],
    ["min_length", { min_chars: 5 }, "1234", false],
    ["length", { max: 3, min: 2 }, "123", true],
    ["max_sentences", { max_sentences: 1 }, "One. Two.", false],
    ["banned_words", { words: ["cash"] }, "No Cash.", false],
    ["required_fields", { fields: ["a.b"] }, '{"a": {"b": 1}}', true],
    ["pii_detection", {}, "Write to ada@example.com", false],
    ["sentence_count", { max: 1 }, "One. Two.", false],
    ["token_count", { max_tokens: 2 }, "12345678", true],
    ["token_count", { max_tokens: 2 }, "123456789", false],
  ])("of type %s with %j says of %j: %s", async (type, params, answer, passed) => {
    expect((await judged(type, params, answer)).passed).toBe(passed);
  });

  it("gives the share of what it found as the score", async () => {
    const { score } = await judged("contains", { patterns: ["a", "b", "c", "d"] }, "abc");
    expect(score).toBe(0.75);
  });

  it("judges the last answer of a conversation, and where it looks for what must not be said all of them", async () => {
    const subject = subjectOf(aTurn("We take cash."), aTurn("Anything else?"));
    expect((await judged("contains", { patterns: ["cash"] }, subject)).passed).toBe(false);
    expect((await judged("contains_any", { patterns: ["cash"] }, subject)).passed).toBe(true);
    expect((await judged("content_excludes", { patterns: ["cash"] }, subject)).passed).toBe(false);
    expect((await judged("banned_words", { words: ["cash"] }, subject)).passed).toBe(false);
  });

  it("counts what the provider counted, where it did", async () => {
    const turn = aTurn("1234", { usage: { inputTokens: 9, outputTokens: 7 } });
    expect((await judged("token_count", {}, subjectOf(turn))).score).toBe(7);
  });

  it("does not judge a text that is too much work for a pattern", async () => {
    const verdict = await judged("regex", { pattern: "(a{1,500}){1,2}b" }, "a".repeat(200_000));
    expect(verdict).toMatchObject({ score: undefined, passed: false });
    expect(verdict.why).toContain("too much work");
  });
});

describe("a judge of tool calls", () => {
  const order = aCall("get_order", {
    arguments: { id: "A-1", count: 2 },
    result: { state: "Sent" },
  });
  const subject = subjectOf(
    aTurn("", { toolCalls: [order, aCall("refund", { result: undefined, error: "no" })] }),
  );

  it.each([
    ["tools_called", { tool_names: ["get_order"] }, true],
    ["tool_called", { tool: "get_order" }, true],
    ["tools_called", { tools: ["refund"] }, false],
    ["tools_called", { tools: ["get_order"], max_calls: 0 }, false],
    ["tools_called", { tools: ["get_order"], min_calls: 2 }, false],
    ["tools_called", { tools: ["get_order"], require_args: true }, true],
    ["tools_not_called", { tools: ["delete"] }, true],
    ["tools_not_called", { tools: ["refund"] }, false],
    ["tool_args", { tool_name: "get_order", expected_args: { id: "A-1", count: "2" } }, true],
    ["tool_args", { tool_name: "get_order", expected_args: { id: "A-2" } }, false],
    ["tool_args", { tool_name: "delete", expected_args: { id: "A-2" } }, false],
    ["tool_call_count", { max: 2 }, true],
    ["tool_call_count", { tool: "refund", min: 2 }, false],
    ["tool_call_sequence", { sequence: ["get_order", "refund"] }, true],
    ["tool_call_sequence", { sequence: ["refund", "get_order"] }, false],
    ["no_tool_errors", {}, false],
    ["no_tool_errors", { tools: ["get_order"] }, true],
    ["tool_result_includes", { tool: "get_order", patterns: ["sent"] }, true],
    ["tool_result_includes", { patterns: ["lost"] }, false],
    ["latency_budget", { max_ms: 100 }, true],
    ["latency_budget", { max_ms: 50 }, false],
  ])("of type %s with %j: %s", async (type, params, passed) => {
    expect((await judged(type, params, subject)).passed).toBe(passed);
  });

  it("of a session looks at the turns before, too", async () => {
    const earlier = aTurn("", { toolCalls: [order] });
    const later = aTurn("");
    const ofTurn = { turns: [later], soFar: [earlier, later] };
    const params = { tools: ["get_order"] };
    expect((await judged("tools_called", params, ofTurn)).passed).toBe(false);
    expect((await judged("tools_called_session", params, ofTurn)).passed).toBe(true);
  });
});

describe("a model that judges", () => {
  const params = { criteria: "Is it polite?" };

  it.each([
    ['{"passed": true, "score": 0.9, "reasoning": "kind"}', true, 0.9],
    ['```json\n{"passed": false, "score": 0.9}\n```', false, 0.9],
    ['{"score": 0.5}', true, 0.5],
    ['{"score": 0.4}', false, 0.4],
    ['{"passed": true}', true, 1],
    ["It is very polite.", false, undefined],
    ['{"score": "high"}', false, undefined],
    ["{", false, undefined],
    ["", false, undefined],
  ])("that says %j: %s", async (answer, passed, score) => {
    expect(await judged("llm_judge", params, "Hello.", () => answer)).toMatchObject({
      passed,
      score,
    });
  });

  it("needs the score that the eval names", async () => {
    const strict = { judge_prompt: "Rate it from 1 to 5.", passing_score: 4 };
    const says = (score: number) => () => JSON.stringify({ passed: true, score });
    expect((await judged("llm_judge", strict, "Hi.", says(3))).passed).toBe(false);
    expect((await judged("llm_judge", strict, "Hi.", says(4))).passed).toBe(true);
  });

  it("is shown the whole conversation with its calls for a session", async () => {
    let shown = "";
    const subject = subjectOf(
      aTurn("First.", { toolCalls: [aCall("look", { arguments: { at: 1 } })] }),
      aTurn("Second."),
    );
    await judged("llm_judge_conversation", params, subject, (content) => {
      shown = content;
      return '{"passed": true}';
    });
    expect(shown).toContain('Tool call: look({"at":1}) → "done"\nAssistant: First.');
    expect(shown).toContain("Assistant: Second.");
    expect(shown).toContain("Criteria: Is it polite?");
  });

  it("is no pass when there is none, or when it does not answer", async () => {
    expect(await judged("llm_judge", params, "Hello.")).toMatchObject({ passed: false });
    const verdict = await judged("llm_judge", params, "Hello.", () => {
      throw new Error("it is down");
    });
    expect(verdict).toEqual({ passed: false, score: undefined, why: "it is down" });
  });
});

describe("an eval that cannot be read", () => {
  it.each([
    ["contains", {}],
    ["contains", { patterns: [] }],
    ["contains", { patterns: [1] }],
    ["content_excludes", { patterns: ["a"], match_mode: "fuzzy" }],
    ["regex", {}],
    ["regex", { pattern: "(" }],
    ["regex", { pattern: "a", expect_match: "no" }],
    ["json_schema", { schema: "no" }],
    ["json_schema", { schema: { type: "nothing" } }],
    ["max_length", {}],
    ["tools_called", {}],
    ["tools_called", { tools: ["a"], min_calls: "two" }],
    ["tool_call_count", {}],
    ["tool_call_count", { min: "1" }],
    ["tool_args", { tool_name: "a" }],
    ["latency_budget", { max_ms: 0 }],
    ["llm_judge", {}],
  ])("of type %s with %j has a problem", (type, params) => {
    expect(readJudge(type, params)).toMatchObject({ ok: false });
    expect(readJudge(type, params)).not.toHaveProperty("isUnknown");
  });

  it.each(["cosine_similarity", "constructor", "__proto__", ""])("is unknown: %j", (type) => {
    expect(readJudge(type, {})).toMatchObject({ ok: false, isUnknown: true });
  });

  it("is told which types are known", () => {
    const read = readJudge("toxicity", {});
    expect(read.ok ? "" : read.problem).toContain(EVAL_TYPES.join(", "));
  });
});
