import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { apiKeyProblem, headerValueProblem } from "./credential.ts";

describe("an API key", () => {
  it.each(["sk-1", "sk-1\n", " sk-1\r\n", "\uFEFFsk-1", "AIza_-~!"])("may be %j", (text) => {
    expect(apiKeyProblem(text)).toBeUndefined();
  });

  it.each([
    ["sk-1\nsk-2", "line break (2 lines)"],
    ["sk-1\r\nsk-2\r\nsk-3\n", "line break (3 lines)"],
    ["OPENAI_API_KEY=sk-1\rsk-2", "line break"],
    ["sk-1 sk-2", "a blank"],
    ["sk-1\tsk-2", "a blank"],
    ["sk-\u0000", "control character"],
    ["sk-\u007f1", "control character"],
    ["sk-ключ", "not of ASCII"],
    ["sk-1\u00a0sk-2", "not of ASCII"],
    ["“sk-1”", "not of ASCII"],
    ["sk-\ufffd", "not of ASCII"],
  ])("cannot be %j", (text, problem) => {
    expect(apiKeyProblem(text)).toContain(problem);
    expect(apiKeyProblem(text)).not.toContain("sk-");
  });

  it("that is taken can be sent in a header", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" })), (text) => {
        if (apiKeyProblem(text) !== undefined) return;
        expect(new Headers({ authorization: `Bearer ${text.trim()}` }).get("authorization")).toBe(
          `Bearer ${text.trim()}`.trim(),
        );
      }),
    );
  });
});

describe("the value of a header", () => {
  it("may have blanks", () => {
    expect(headerValueProblem("user: pass word")).toBeUndefined();
  });

  it.each(["a\nb", "a\u0000b", "é"])("cannot be %j", (text) => {
    expect(headerValueProblem(text)).toBeDefined();
  });
});
