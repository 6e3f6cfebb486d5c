import { describe, expect, it } from "vitest";
import { aTimeline } from "../../../test/support/builders/a-session-timeline.ts";
import { plainText } from "../../observability/terminal/line.ts";
import type { SessionTimeline, TurnView } from "../../http-api/session-views.ts";
import { timelineLines } from "./timeline-lines.ts";

const AGENT = { namespace: "agents", name: "support" };

function shown(timeline: SessionTimeline): string {
  return timelineLines(AGENT, timeline).map(plainText).join("\n");
}

describe("the lines of a session", () => {
  it("tell turn by turn what was said and done, how long it took and what it cost", () => {
    expect(shown(aTimeline())).toMatchInlineSnapshot(`
      "What is the weather?
      session-1 of agent agents/support
      idle · 1 turn · 1 tool call · 1,200 + 56 tokens · version 0123456789ab
      begun 2026-03-01 12:00, last active 2026-03-01 12:00, ends 2026-03-01 13:00 (UTC)

      Turn 1  2026-03-01 12:00:00 · gpt-4o · 0123456789ab · replica-1 · turn-1
        user
          What is the weather?
          In Oslo.
        get-weather {"city":"Oslo"}  412 ms  ok
          {"degrees":21}
        agent
          21 degrees.
        2.5 s · first words after 1.9 s · 1,200 + 56 tokens · stop"
    `);
  });

  it("tell what a turn and the session cost, where that is known", () => {
    const [turn] = aTimeline().turns;
    const cost = { amount: 0.00356, currency: "USD" };
    const text = shown(
      aTimeline({
        session: { cost: { amount: 1.5, currency: "USD" } },
        turns: [{ ...(turn as TurnView), usage: { input_tokens: 1_200, output_tokens: 56, cost } }],
      }),
    );
    expect(text).toContain("1,200 + 56 tokens · 1.50 USD · version 0123456789ab");
    expect(text).toContain("1,200 + 56 tokens · 0.00356 USD · stop");
  });

  it("say how a turn went wrong, and what is not known of its calls", () => {
    const { messages, turns } = aTimeline();
    const [turn] = turns;
    if (turn === undefined) throw new Error("there is no turn");
    const { endedAt: _, finishReason: __, usage: ___, ...begun } = turn;
    const text = shown(
      aTimeline({
        session: { state: "failed", workflowState: "triage", subject: "ann" },
        messages: [
          ...messages.slice(0, 2),
          {
            role: "tool",
            turnId: "turn-1",
            toolCallId: "call-1",
            toolName: "get-weather",
            error: "no answer",
          },
          { role: "assistant", turnId: "turn-1", content: "I th", partial: true },
        ],
        turns: [
          {
            ...begun,
            replicas: ["replica-1", "replica-2"],
            error: { code: "PROVIDER_ERROR", message: "it is overloaded" },
            warnings: [{ validator: "max_length", message: "it was too long" }],
            calls: [
              {
                id: "call-1",
                name: "get-weather",
                startedAt: "2026-03-01T12:00:01.000Z",
                outcome: "unknown",
              },
            ],
          },
        ],
      }),
    );
    for (const part of [
      "failed",
      "state triage",
      "of ann",
      "replica-1 → replica-2",
      "outcome unknown",
      "no answer",
      "agent (cut off)",
      "PROVIDER_ERROR: it is overloaded",
      "max_length: it was too long",
    ]) {
      expect(text).toContain(part);
    }
  });

  it("have the turns of which nothing but the messages is known, and those that go on after an approval as one", () => {
    const { messages, turns } = aTimeline();
    const [turn] = turns;
    if (turn === undefined) throw new Error("there is no turn");
    const text = shown(
      aTimeline({
        messages: [{ role: "user", turnId: "turn-0", content: "earlier" }, ...messages],
        turns: [
          { ...turn, finishReason: "awaiting_approval" },
          { ...turn, turnId: "turn-2", firstTurnId: "turn-1" },
        ],
      }),
    );
    expect(text.match(/^Turn \d.*$/gm)).toMatchObject([
      expect.stringMatching(/^Turn 1 {2}turn-0$/) as string,
      expect.stringMatching(/^Turn 2 .*turn-1$/) as string,
    ]);
    expect(text.match(/awaiting_approval|stop/g)).toEqual(["awaiting_approval", "stop"]);
  });

  it("cut long arguments and results, and let nothing of them reach the terminal", () => {
    const text = shown(
      aTimeline({
        messages: [
          { role: "user", turnId: "turn-1", content: "\u001b[31mred\u202e" },
          {
            role: "assistant",
            turnId: "turn-1",
            content: "",
            toolCalls: [{ id: "call-1", name: "x", arguments: { text: "y".repeat(1_000) } }],
          },
        ],
      }),
    );
    expect(text).toContain(String.raw`\u{1b}[31mred\u{202e}`);
    expect(text).not.toContain("y".repeat(200));
  });

  it("say of a session in which nothing was said that this is so", () => {
    const text = shown(
      aTimeline({ session: { title: "", turns: 0, toolCalls: 0 }, messages: [], turns: [] }),
    );
    expect(text).toContain("(nothing was said)");
    expect(text).toContain("0 turns");
  });
});
