import { describe, expect, it } from "vitest";
import { MAX_TURN_TAKEOVERS } from "../contracts/limits.ts";
import type { AssistantMessage, ToolMessage } from "../sessions/history-message.ts";
import type { JournalEntry } from "../sessions/turn-journal.ts";
import { OUTCOME_NOT_KNOWN } from "../sessions/unended-record.ts";
import { messagesOfEarlier, readJournal } from "./read-journal.ts";
import { decideRecovery } from "./recovery.ts";

const TAKEN: JournalEntry = { type: "taken-over" };

function said(text: string): JournalEntry {
  return { type: "said", text };
}

function step(content: string, ...ids: string[]): JournalEntry & { message: AssistantMessage } {
  const toolCalls = ids.map((id) => ({ id, name: "pay", arguments: { amount: 7 } }));
  const message: AssistantMessage = {
    role: "assistant",
    turnId: "t1",
    content,
    ...(ids.length === 0 ? {} : { toolCalls }),
  };
  return { type: "step", message, usage: { input_tokens: 2, output_tokens: 1 } };
}

function started(id: string): JournalEntry {
  return { type: "call-started", id, name: "pay" };
}

function done(id: string): JournalEntry & { message: ToolMessage } {
  const message = {
    role: "tool",
    turnId: "t1",
    toolCallId: id,
    toolName: "pay",
    result: 1,
  } as const;
  return { type: "call-done", message };
}

function read(...journal: JournalEntry[]) {
  return readJournal({ journal });
}

describe("a journal", () => {
  it("tells complete steps from what was said after them", () => {
    const first = step("Let me pay.", "c1");
    const { earlier } = read(
      said("Let me "),
      said("pay."),
      first,
      started("c1"),
      done("c1"),
      said("\n\nIt is "),
      TAKEN,
    );
    expect(earlier).toEqual({
      steps: [
        {
          message: first.message,
          calls: [
            {
              id: "c1",
              name: "pay",
              input: '{"amount":7}',
              isStarted: true,
              outcome: done("c1").message,
            },
          ],
          finishReason: undefined,
        },
      ],
      usage: { input_tokens: 2, output_tokens: 1 },
      said: "Let me pay.\n\nIt is ",
      unfinished: "\n\nIt is ",
    });
    expect(messagesOfEarlier(earlier)).toEqual([first.message, done("c1").message]);
  });

  it("sums the usage of its steps, and keeps each call's outcome with its step", () => {
    const { earlier } = read(step("", "a"), started("a"), done("a"), step("", "a", "b"), done("a"));
    expect(earlier.usage).toEqual({ input_tokens: 4, output_tokens: 2 });
    expect(earlier.steps[1]?.calls).toMatchObject([
      { id: "a", isStarted: false, outcome: { toolCallId: "a" } },
      { id: "b", isStarted: false, outcome: undefined },
    ]);
  });

  it("gives the arguments of a call as the model wrote them", () => {
    const entry = { ...step("", "c1"), inputs: { c1: "{no JSON" } };
    expect(read(entry).earlier.steps[0]?.calls[0]?.input).toBe("{no JSON");
  });

  it("of a turn that did nothing is empty", () => {
    expect(read().earlier).toMatchObject({ steps: [], said: "", unfinished: "" });
  });
});

describe("a turn that was taken over", () => {
  const decide = (
    journal: JournalEntry[],
    more: Partial<Parameters<typeof decideRecovery>[1]> = {},
  ) => decideRecovery(read(...journal), { isCancelled: false, hasHarmlessCalls: false, ...more });

  it.each<[string, JournalEntry[]]>([
    ["nothing was done", []],
    ["an answer was begun", [said("It is ")]],
    ["calls were intended", [step("", "a", "b")]],
    ["every call is done", [step("", "a", "b"), started("a"), started("b"), done("b"), done("a")]],
    ["a call was refused", [step("", "a"), done("a"), said("x")]],
  ])("goes on where %s", (_, journal) => {
    expect(decide(journal)).toBe("goes-on");
  });

  it("does not go on where a call is in doubt, unless its calls are harmless", () => {
    const journal = [step("", "a", "b"), started("a"), started("b"), done("a")];
    expect(decide(journal)).toBe("call-in-doubt");
    expect(read(...journal).inDoubt).toEqual([{ id: "b", name: "pay", isTold: false }]);
    expect(decide(journal, { hasHarmlessCalls: true })).toBe("goes-on");
  });

  it("does not go on where a replica died as it ended the turn for a call in doubt", () => {
    const { result: _result, ...call } = done("a").message;
    const told: JournalEntry = {
      type: "call-done",
      message: { ...call, error: OUTCOME_NOT_KNOWN },
    };
    const journal = [step("", "a"), started("a"), TAKEN, told, TAKEN];
    expect(decide(journal)).toBe("call-in-doubt");
    expect(read(...journal).inDoubt).toEqual([{ id: "a", name: "pay", isTold: true }]);
  });

  it("ends as cancelled where that was asked for, whatever else", () => {
    expect(decide([step("", "a"), started("a")], { isCancelled: true })).toBe("cancelled");
  });

  it("is given up when replica after replica died with it", () => {
    expect(decide(Array.from({ length: MAX_TURN_TAKEOVERS }, () => TAKEN))).toBe("goes-on");
    expect(decide(Array.from({ length: MAX_TURN_TAKEOVERS + 1 }, () => TAKEN))).toBe("given-up");
  });
});
