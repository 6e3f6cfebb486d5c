import { describe, expect, it } from "vitest";
import type { JournalEntry } from "../sessions/turn-journal.ts";
import { messagesOfEarlier, readJournal } from "./read-journal.ts";

const usage = { input_tokens: 5, output_tokens: 2 };

function step(...ids: string[]): JournalEntry {
  const toolCalls = ids.map((id) => ({ id, name: "pay", arguments: { amount: 7 } }));
  const message = { role: "assistant", turnId: "t1", content: "I pay.", toolCalls } as const;
  return { type: "step", message, inputs: { [ids[0] ?? ""]: '{ "amount": 7 }' }, usage };
}

function outcome(id: string, error: string): JournalEntry {
  const message = { role: "tool", turnId: "t2", toolCallId: id, toolName: "pay", error } as const;
  return { type: "call-done", message };
}

const asked: readonly JournalEntry[] = [
  { type: "said", text: "I pay." },
  step("c1", "c2", "c3"),
  { type: "taken-over" },
  { type: "call-answered", id: "c1", isApproved: true },
  { type: "call-answered", id: "c2", isApproved: true, arguments: { amount: 3 } },
  { type: "call-answered", id: "c3", isApproved: false, reason: "too dear" },
  { type: "went-on" },
];

describe("the journal of a turn that goes on after an approval", () => {
  it("tells the answers, the arguments that were edited, and those that were not as the model wrote them", () => {
    const { earlier, inDoubt } = readJournal({ journal: asked });
    expect(inDoubt).toEqual([]);
    expect(earlier.steps[0]?.calls).toEqual([
      call("c1", '{ "amount": 7 }', { isApproved: true }),
      call("c2", '{"amount":3}', { isApproved: true }),
      call("c3", '{"amount":7}', { isApproved: false, reason: "too dear" }),
    ]);
    expect(messagesOfEarlier(earlier)).toMatchObject([
      {
        toolCalls: [
          { arguments: { amount: 7 } },
          { arguments: { amount: 3 } },
          { arguments: { amount: 7 } },
        ],
      },
    ]);
  });

  it("tells nothing of what was said, spent and survived before", () => {
    expect(readJournal({ journal: asked })).toMatchObject({
      earlier: { usage: undefined, said: "", unfinished: "" },
      takeovers: 0,
    });
    const more: JournalEntry[] = [...asked, { type: "said", text: "Paid" }, { type: "taken-over" }];
    expect(readJournal({ journal: more })).toMatchObject({
      earlier: { said: "Paid", unfinished: "Paid" },
      takeovers: 1,
    });
  });

  it("tells of an approved call that was begun and has no outcome", () => {
    const begun: JournalEntry[] = [
      ...asked,
      outcome("c3", "denied"),
      { type: "call-started", id: "c1", name: "pay" },
    ];
    const { inDoubt, earlier } = readJournal({ journal: begun });
    expect(inDoubt).toEqual([{ id: "c1", name: "pay", isTold: false }]);
    expect(earlier.steps[0]?.calls[2]).toMatchObject({
      isStarted: false,
      outcome: { error: "denied" },
      answer: { isApproved: false },
    });
  });

  function call(id: string, input: string, answer: object): object {
    return { id, name: "pay", input, isStarted: false, outcome: undefined, answer };
  }
});
