import { describe, expect, it } from "vitest";
import type { TurnFrame } from "../../../protocol/frames.ts";
import { MAX_FRAME_BYTES_PER_TURN } from "../session-store.ts";
import { KeptFrames } from "./kept-frames.ts";

function stamped(seq: number, turn = "turn-1") {
  const timestamp = new Date(1_700_000_000_000 + seq).toISOString();
  return { session_id: "session", turn_id: turn, seq, timestamp };
}
function chunk(seq: number, content = `word ${seq}`, turn?: string): TurnFrame {
  return { type: "chunk", ...stamped(seq, turn), content };
}
function toolCall(seq: number): TurnFrame {
  const tool_call = { id: `call-${seq}`, name: "tool", arguments: { seq } };
  return { type: "tool_call", ...stamped(seq), tool_call };
}
function done(seq: number, turn?: string): TurnFrame {
  return { type: "done", ...stamped(seq, turn), content: "all", finish_reason: "stop" };
}

describe("KeptFrames", () => {
  it("gives frames of every kind as they were added, from any of them on, to the text that is sent", () => {
    const frames = [
      { ...chunk(1), message_id: "message" },
      chunk(2),
      chunk(3, ""),
      toolCall(4),
      chunk(5),
      { ...done(6), message_id: "message" },
    ];
    const kept = new KeptFrames();
    kept.beginTurn(0);
    for (const frame of frames) kept.append([frame]);
    for (let after = 0; after <= frames.length; after++) {
      expect(JSON.stringify(kept.after(after))).toBe(JSON.stringify(frames.slice(after)));
    }
  });

  it("gives the frames of each turn under its own id, also where a turn went on for another one", () => {
    const frames = [chunk(1), chunk(2), chunk(3, "more", "turn-2"), chunk(4, "text", "turn-2")];
    const next = [chunk(5, "next", "turn-3"), done(6, "turn-3")];
    const kept = new KeptFrames();
    kept.beginTurn(0);
    kept.append(frames);
    kept.endTurn(0);
    kept.beginTurn(4);
    kept.append(next);
    expect(kept.after(0)).toEqual([...frames, ...next]);
  });

  it("counts the same for a frame that makes way as for one that comes", () => {
    const kept = new KeptFrames();
    kept.beginTurn(0);
    const text = "\u00e9".repeat(MAX_FRAME_BYTES_PER_TURN / 16);
    for (let seq = 1; seq <= 100; seq++) kept.append([chunk(seq, text)]);
    const [first] = kept.after(0);
    const left = 100 - (first?.seq ?? 0) + 1;
    expect(kept.after(0)).toEqual(
      Array.from({ length: left }, (_, at) => chunk(100 - left + 1 + at, text)),
    );
    const alone = new KeptFrames();
    alone.beginTurn(0);
    alone.append(kept.after(0));
    expect(kept.bytes).toBe(alone.bytes);
    expect(kept.bytes).toBeLessThanOrEqual(MAX_FRAME_BYTES_PER_TURN);
  });
});
