import { describe, expect, it } from "vitest";
import type { TurnFrame } from "../../../protocol/frames.ts";
import { FRAME_RETENTION_MS, MAX_FRAME_BYTES_PER_TURN } from "../session-store.ts";
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

  describe("of turns that have one frame", () => {
    const MORE: Partial<Extract<TurnFrame, { type: "done" }>>[] = [
      {},
      { message_id: "message" },
      { usage: { input_tokens: 1, output_tokens: 2 } },
      { state: "begun" },
      { warnings: [{ validator: "length", message: "long" }] },
      { content: "", finish_reason: "length" },
      { session_id: "other" },
    ];
    const answer = (turn: number): TurnFrame => {
      const more = MORE[turn % MORE.length];
      return { ...done(turn + 1, `turn-${turn}`), content: `answer ${turn}`, ...more } as TurnFrame;
    };
    const TURNS = 200;
    const frames = Array.from({ length: TURNS }, (_, turn) => answer(turn));
    /** Turn 7 was withdrawn and begun anew. */
    const keptOf = (): KeptFrames => {
      const kept = new KeptFrames();
      for (const [turn, frame] of frames.entries()) {
        kept.beginTurn(turn);
        if (turn === 7) kept.endTurn(turn);
        if (turn === 7) kept.beginTurn(turn);
        kept.append([frame]);
        kept.endTurn(turn);
      }
      return kept;
    };

    it("gives each as it was added, from any of them on, to the text that is sent", () => {
      const kept = keptOf();
      for (let after = 0; after < TURNS; after++) {
        const expected = frames.slice(after, after + kept.after(after).length);
        expect(kept.after(after).length).toBe(Math.min(TURNS - after, 128));
        expect(JSON.stringify(kept.after(after))).toBe(JSON.stringify(expected));
      }
      expect(kept.after(TURNS)).toEqual([]);
    });

    it("forgets each when its time has come, and counts what is left", () => {
      const kept = keptOf();
      for (let turn = 0; turn < TURNS; turn++) {
        expect(kept.firstSeq).toBe(turn + 1);
        const { bytes } = kept;
        kept.forgetOld(turn + FRAME_RETENTION_MS);
        expect(kept.bytes).toBeLessThan(bytes);
        expect(kept.after(0)).toEqual(frames.slice(turn + 1, turn + 129));
      }
      expect([kept.firstSeq, kept.bytes]).toEqual([undefined, 0]);
      kept.beginTurn(TURNS);
      expect(kept.firstSeq).toBeUndefined();
      kept.append([answer(TURNS)]);
      expect([kept.firstSeq, kept.after(0)]).toEqual([TURNS + 1, [answer(TURNS)]]);
    });

    it("says where the frames begin behind the last one that made way", () => {
      const kept = keptOf();
      kept.beginTurn(TURNS);
      const text = "x".repeat(MAX_FRAME_BYTES_PER_TURN / 4);
      for (let at = 1; at <= 6; at++) kept.append([chunk(TURNS + at, text)]);
      const first = kept.after(TURNS)[0]?.seq;
      expect(first).toBeGreaterThan(TURNS + 1);
      expect(kept.firstSeq).toBe(first);
      kept.endTurn(TURNS);
      expect(kept.firstSeq).toBe(first);
      kept.forgetOld(TURNS + FRAME_RETENTION_MS);
      expect([kept.firstSeq, kept.bytes]).toEqual([undefined, 0]);
    });
  });
});
