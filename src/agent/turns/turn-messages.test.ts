import { describe, expect, it } from "vitest";
import { turnMessages } from "./turn-messages.ts";

const turnId = "turn-1";
const calls = (...ids: string[]) => ids.map((id) => ({ id, name: `tool-${id}`, arguments: {} }));

describe("turnMessages", () => {
  it("keeps what was recorded, and the text that was not", () => {
    const recorded = [{ role: "assistant", turnId, content: "one" }] as const;
    expect(turnMessages({ turnId, recorded, unrecordedText: "", partial: false })).toEqual(
      recorded,
    );
    expect(turnMessages({ turnId, recorded: [], unrecordedText: "two", partial: false })).toEqual([
      { role: "assistant", turnId, content: "two" },
    ]);
    expect(turnMessages({ turnId, recorded: [], unrecordedText: "", partial: true })).toEqual([]);
  });

  it("gives every tool call an outcome, in its place", () => {
    const messages = turnMessages({
      turnId,
      recorded: [
        { role: "assistant", turnId, content: "", toolCalls: calls("a", "b") },
        { role: "tool", turnId, toolCallId: "b", toolName: "tool-b", result: 1 },
        { role: "assistant", turnId, content: "", toolCalls: calls("c") },
      ],
      unrecordedText: "so far",
      partial: true,
    });
    expect(
      messages.map((message) => (message.role === "tool" ? message.toolCallId : message.role)),
    ).toEqual(["assistant", "b", "a", "assistant", "c", "assistant"]);
    expect(messages[2]).toMatchObject({
      role: "tool",
      toolName: "tool-a",
      error: expect.any(String),
    });
    expect(messages.at(-1)).toEqual({
      role: "assistant",
      turnId,
      content: "so far",
      partial: true,
    });
  });

  it("says that a call which waits for an approval was not made", () => {
    const recorded = [{ role: "assistant", turnId, content: "", toolCalls: calls("a") }] as const;
    const messages = turnMessages({
      turnId,
      recorded,
      unrecordedText: "",
      partial: false,
      isWaiting: true,
    });
    expect(messages.at(-1)).toMatchObject({
      role: "tool",
      toolCallId: "a",
      error: expect.stringMatching(/^Not called: .*counts as a denial/),
    });
  });
});
