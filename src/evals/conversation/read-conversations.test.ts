import { describe, expect, it } from "vitest";
import { MAX_CONVERSATIONS_BYTES, readConversations } from "./read-conversations.ts";

function problemsOf(text: string): readonly string[] {
  const read = readConversations(text);
  return read.ok ? [] : read.problems;
}

const turns = [{ user: "hello" }];

describe("scripted conversations", () => {
  it("are one a line, and have the number of their line where they have no id", () => {
    const text = [
      "\uFEFF" + JSON.stringify({ id: "a", variables: { shop: "N", count: 2, open: true }, turns }),
      "",
      JSON.stringify({
        turns: [
          { user: "hi", expect: "x" },
          { user: "b", expect: ["y", { type: "json_valid" }] },
        ],
      }),
      "\r",
    ].join("\n");
    expect(readConversations(text)).toEqual({
      ok: true,
      conversations: [
        {
          id: "a",
          variables: { shop: "N", count: "2", open: "true" },
          turns: [{ user: "hello", expect: [] }],
        },
        {
          id: "line-3",
          variables: {},
          turns: [
            { user: "hi", expect: ["x"] },
            { user: "b", expect: ["y", { type: "json_valid" }] },
          ],
        },
      ],
    });
  });

  it.each([
    ["", "it has no conversation"],
    ["{", "line 1: it is not JSON"],
    [JSON.stringify([]), "line 1:"],
    [JSON.stringify({ turns: [] }), "line 1: turns"],
    [JSON.stringify({ turns, more: 1 }), "line 1:"],
    [JSON.stringify({ turns: [{ user: "" }] }), "line 1: turns[0].user"],
    [JSON.stringify({ turns: [{ user: "a", expect: "" }] }), "line 1: turns[0].expect"],
    [JSON.stringify({ id: "../a", turns }), "line 1: id"],
    [JSON.stringify({ id: ".", turns }), "line 1: id"],
    [`\n${JSON.stringify({ id: "a".repeat(101), turns })}`, "line 2: id"],
    [
      `${JSON.stringify({ id: "a", turns })}\n${JSON.stringify({ id: "A", turns })}`,
      'line 2: the id "A" is taken by line 1',
    ],
    [" ".repeat(MAX_CONVERSATIONS_BYTES + 1), "it is larger than 16 MiB"],
  ])("are refused with the line: %#", (text, problem) => {
    expect(problemsOf(text)[0]).toContain(problem);
  });

  it("are refused with the first problems when there are many", () => {
    const problems = problemsOf(Array.from({ length: 100 }, () => "{").join("\n"));
    expect(problems).toHaveLength(21);
    expect(problems.at(-1)).toBe("and 80 more");
  });
});
