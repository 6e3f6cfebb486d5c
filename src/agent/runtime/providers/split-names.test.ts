import { describe, expect, it } from "vitest";
import type { ModelStep } from "./model-step.ts";
import { joinSplitNames } from "./split-names.ts";

const NAMES = new Set(["weather", "now"]);

function joined(...calls: [name: string, input: string][]): [string, string, number][] {
  const toolCalls = calls.map(([name, input], index) => ({ id: `c${index}`, name, input }));
  const step: Pick<ModelStep, "toolCalls" | "parts"> = {
    toolCalls,
    parts: [
      { type: "text", length: 1 },
      ...toolCalls.map(({ id }) => ({ type: "tool-call" as const, id })),
    ],
  };
  const { toolCalls: whole, parts } = joinSplitNames(step, NAMES);
  const ids = parts.flatMap((part) => (part.type === "tool-call" ? part.id : []));
  expect(ids).toEqual(whole.map(({ id }) => id));
  return whole.map(({ id, name, input }) => [name, input, Number(id.slice(1))]);
}

describe("calls whose names came in pieces", () => {
  it("are joined where the pieces are the name of a tool", () => {
    expect(joined(["wea", ""], ["ther", "{1}"])).toEqual([["weather", "{1}", 0]]);
    expect(joined(["now", ""], ["w", "{}"], ["eat", ""], ["her", "{1}"], ["now", ""])).toEqual([
      ["now", "", 0],
      ["weather", "{1}", 1],
      ["now", "", 4],
    ]);
  });

  it("stay apart where they are not, or where the first piece has arguments", () => {
    expect(joined(["wea", ""], ["now", ""])).toHaveLength(2);
    expect(joined(["wea", "{1}"], ["ther", "{1}"])).toHaveLength(2);
    expect(joined(["now", ""], ["weather", "{1}"])).toHaveLength(2);
  });
});
