import { describe, expect, it } from "vitest";
import { wholeTextRule, type WholeTextConfig } from "./whole-text.ts";

const common = { name: "rule", fails: true, retry: 0, input: false, output: true };
type Rule = WholeTextConfig extends infer Config
  ? Config extends WholeTextConfig
    ? Omit<Config, keyof typeof common | "message">
    : never
  : never;
const keeps = (rule: Rule, text: string): boolean => wholeTextRule({ ...common, ...rule })(text);

describe("a rule of a whole text", () => {
  it.each([
    [{ type: "length", maxCharacters: 3 }, "abc", true],
    [{ type: "length", maxCharacters: 3 }, "abcd", false],
    [{ type: "length", maxCharacters: 3 }, "🙂🙂🙂", true],
    [{ type: "length", minCharacters: 3 }, "ab", false],
    [{ type: "length", minCharacters: 3 }, "🙂🙂", false],
    [{ type: "length", minCharacters: 2, maxCharacters: 3 }, "abc", true],
    [{ type: "max_sentences", max: 2 }, "One. Two!", true],
    [{ type: "max_sentences", max: 2 }, "It costs 1.50 at example.com. Really?", true],
    [{ type: "max_sentences", max: 2 }, "One. Two! Three", false],
    [{ type: "max_sentences", max: 1 }, "一。二。", false],
    [{ type: "max_sentences", max: 0 }, " ", true],
    [{ type: "regex_match", pattern: "^[A-Z]{3}-\\d+$" }, "ABC-7", true],
    [{ type: "regex_match", pattern: "^[A-Z]{3}-\\d+$" }, "abc-7", false],
    [
      { type: "required_fields", fields: ["name", "address.city"] },
      '{"name":1,"address":{"city":0}}',
      true,
    ],
    [{ type: "required_fields", fields: ["name", "address.city"] }, '{"name":1}', false],
    [{ type: "required_fields", fields: ["a.b"] }, '{"a.b":1}', true],
    [{ type: "required_fields", fields: ["toString"] }, "{}", false],
    [{ type: "required_fields", fields: ["name"] }, "The name is Jane.", false],
    [{ type: "json_schema", schema: { type: "object", required: ["a"] } }, '{"a":1}', true],
    [
      { type: "json_schema", schema: { type: "object", required: ["a"] } },
      '```json\n{"a":1}\n```',
      true,
    ],
    [{ type: "json_schema", schema: { type: "object", required: ["a"] } }, "{}", false],
    [{ type: "json_schema", schema: { type: "object" } }, "no JSON", false],
    [{ type: "json_schema", schema: { type: "text" } }, "{}", false],
  ] as const)("%j of %j: %j", (rule, text, expected) => {
    expect(keeps(rule as unknown as Rule, text)).toBe(expected);
  });

  it("is not kept by a text that is too much work to judge, and judges the next one", () => {
    const rule = wholeTextRule({
      ...common,
      type: "regex_match",
      pattern: "^(?:a?){200}b?$",
    });
    expect(rule("a".repeat(100_000))).toBe(false);
    expect(rule("aaa")).toBe(true);
  });
});
