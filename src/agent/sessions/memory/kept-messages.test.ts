import { describe, expect, it } from "vitest";
import type { HistoryMessage } from "../history-message.ts";
import { MAX_HISTORY_BYTES_PER_SESSION } from "../session-store.ts";
import { keptMessage, KeptMessages } from "./kept-messages.ts";

const TURN = { turnId: "turn-1" };
const MESSAGES: HistoryMessage[] = [
  { role: "user", ...TURN, content: "What is \u00fc?\n\ud800" },
  { role: "assistant", ...TURN, content: "" },
  { role: "assistant", ...TURN, content: "half", partial: true },
  { role: "assistant", ...TURN, content: "whole", partial: false },
  {
    role: "assistant",
    ...TURN,
    content: "I look",
    toolCalls: [{ id: "1", name: "look", arguments: {} }],
  },
  { role: "tool", ...TURN, toolCallId: "1", toolName: "look", result: { found: [null] } },
  { role: "tool", ...TURN, toolCallId: "2", toolName: "look", error: "away", state: "lost" },
  { role: "assistant", ...TURN, content: "said", providerMetadata: { signed: "x" } },
  { role: "assistant", ...TURN, content: "no", isMessageRefused: true, partial: true },
  {
    role: "assistant",
    ...TURN,
    content: "on",
    workflow: { state: "begun", visits: { begun: 1 }, toolCalls: 0, startedAt: 1 },
  },
];

function keptOf(messages: readonly HistoryMessage[]): KeptMessages {
  const kept = new KeptMessages();
  for (const message of messages) kept.add(keptMessage(message));
  return kept;
}

describe("KeptMessages", () => {
  it("gives messages of every kind as they were added, to the text that would be stored", () => {
    const kept = keptOf(MESSAGES);
    expect(kept.length).toBe(MESSAGES.length);
    expect(JSON.stringify(kept.toArray())).toBe(JSON.stringify(MESSAGES));
  });

  it("is not changed by who changes what was added or handed out", () => {
    const added = structuredClone(MESSAGES);
    const kept = keptOf(added);
    for (const messages of [added, kept.toArray()]) {
      for (const message of messages) {
        if (message.role !== "tool") message.content = "changed";
        else message.result = "changed";
      }
    }
    expect(kept.toArray()).toEqual(MESSAGES);
  });

  it("takes messages off its end, and counts what is left", () => {
    const kept = keptOf(MESSAGES);
    for (let left = MESSAGES.length; left > 0; left--) {
      kept.removeLast(1);
      expect(kept.toArray()).toEqual(MESSAGES.slice(0, left - 1));
      expect(kept.bytes).toBe(keptOf(MESSAGES.slice(0, left - 1)).bytes);
    }
    kept.removeLast(1);
    expect([kept.length, kept.bytes]).toEqual([0, 0]);
  });

  it("counts for a message what it says before the message comes, at least what its JSON takes without escapes", () => {
    for (const message of MESSAGES) {
      expect(keptOf([message]).bytes).toBe(keptMessage(message).bytes);
      const plain = JSON.stringify(message).replaceAll("\\", "");
      expect(keptMessage(message).bytes).toBeGreaterThanOrEqual(plain.length);
    }
  });

  it("forgets whole turns, the oldest first, and not the one that has ended", () => {
    const content = "x".repeat(MAX_HISTORY_BYTES_PER_SESSION / 32);
    const kept = new KeptMessages();
    for (let turn = 1; turn <= 40; turn++) {
      const turnId = `turn-${turn}`;
      kept.add(keptMessage({ role: "user", turnId, content: "short" }));
      kept.add(keptMessage({ role: "assistant", turnId, content }));
      kept.forgetOldTurns(2);
      expect(kept.bytes).toBeLessThanOrEqual(MAX_HISTORY_BYTES_PER_SESSION);
      const [first, last] = [kept.toArray()[0], kept.toArray().at(-1)];
      expect([first?.role, last?.turnId]).toEqual(["user", turnId]);
    }
    kept.add(keptMessage({ role: "user", turnId: "large", content: content.repeat(40) }));
    kept.forgetOldTurns(1);
    expect(kept.toArray().map(({ turnId }) => turnId)).toEqual(["large"]);
  });
});
