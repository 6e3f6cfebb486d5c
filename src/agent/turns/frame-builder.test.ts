import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { FrameBuilder } from "./frame-builder.ts";

function aBuilder(): FrameBuilder {
  return new FrameBuilder({
    lease: { sessionId: "s", turnId: "t", fence: 1, seqBefore: 0 },
    messageId: undefined,
    lastSeq: 0,
    clock: new ManualClock(),
  });
}

describe("the state of a workflow in frames", () => {
  const done = { type: "done", finishReason: "stop", usage: undefined, content: "" } as const;

  it("is told by the result of a transition, and by the end of the turn", () => {
    const frames = aBuilder();
    const moved = { type: "tool-result", id: "1", result: {}, state: "billing" } as const;
    expect(frames.ofToolEvent(moved)).toMatchObject({ type: "tool_result", state: "billing" });
    expect(frames.ofEnding(done, "Hi", "billing")).toMatchObject({
      type: "done",
      state: "billing",
    });
  });

  it("is not there without a workflow", () => {
    const frames = aBuilder();
    const result = frames.ofToolEvent({ type: "tool-result", id: "1", result: {} });
    expect(result).not.toHaveProperty("state");
    expect(frames.ofEnding(done, "Hi")).not.toHaveProperty("state");
  });
});
