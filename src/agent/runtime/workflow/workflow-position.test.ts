import { describe, expect, it } from "vitest";
import type { HistoryMessage, WorkflowPosition } from "../../sessions/history-message.ts";
import { positionAfter } from "./workflow-position.ts";

const NOW = 5_000;
const states = Object.fromEntries(
  ["a", "b", "constructor"].map((name) => [name, { prompt: "support", events: {} }]),
);
const workflow = { entry: "a", states };

const turnId = "turn-1";
const result = (more: object = {}): HistoryMessage => ({
  role: "tool",
  turnId,
  toolCallId: "call-1",
  toolName: "any",
  result: null,
  ...more,
});
const answer = (position?: WorkflowPosition): HistoryMessage => ({
  role: "assistant",
  turnId,
  content: "",
  ...(position && { workflow: position }),
});

describe("where a session is in its workflow", () => {
  it("is the entry at first", () => {
    expect(positionAfter(workflow, [], NOW)).toEqual({
      state: "a",
      visits: { a: 1 },
      toolCalls: 0,
      startedAt: NOW,
    });
  });

  it("is where its transitions led to", () => {
    const moves = ["b", "a", "b"].map((state) => result({ state }));
    expect(positionAfter(workflow, [result(), ...moves, result({ error: "no" })], NOW)).toEqual({
      state: "b",
      visits: { a: 2, b: 2 },
      toolCalls: 5,
      startedAt: NOW,
    });
  });

  it("is known from the last answer when the messages before it are forgotten", () => {
    const last = { state: "b", visits: { a: 3, b: 4 }, toolCalls: 9, startedAt: 1 };
    expect(positionAfter(workflow, [answer(last)], NOW)).toEqual(last);
    expect(positionAfter(workflow, [answer(last), result({ state: "constructor" })], NOW)).toEqual({
      state: "constructor",
      visits: { a: 3, b: 4, constructor: 1 },
      toolCalls: 10,
      startedAt: 1,
    });
  });

  it("is the entry again where the workflow has no such state any more", () => {
    const last = { state: "gone", visits: { a: 3, gone: 1 }, toolCalls: 9, startedAt: 1 };
    expect(positionAfter(workflow, [answer(last)], NOW)).toMatchObject({
      state: "a",
      visits: { a: 1 },
      startedAt: 1,
    });
  });
});
