import { describe, expect, it } from "vitest";
import type { TurnFrame } from "../../protocol/frames.ts";
import { FrameGapError } from "../sessions/session-store.ts";
import { RecentWrites, type TurnWrite } from "./recent-writes.ts";

function write(seqs: number[], first: number, texts: string[]): TurnWrite {
  const frames = seqs.map((seq) => ({ type: "chunk", seq, content: `${seq}` }) as TurnFrame);
  return { frames, journal: { first, entries: texts.map((text) => ({ type: "said", text })) } };
}

const next = write([6], 4, ["e"]);

function recent(): RecentWrites {
  const writes = new RecentWrites();
  writes.add(write([1, 2], 0, ["a"]), 0);
  writes.add(write([3], 1, ["b", "c"]), 1_000);
  writes.add(write([4, 5], 3, ["d"]), 2_000);
  return writes;
}

describe("what a store has lost of a turn", () => {
  it.each([
    [3, 3, [4, 5, 6], ["d", "e"]],
    [4, 2, [5, 6], ["c", "d", "e"]],
    [5, 4, [6], ["e"]],
    [0, 0, [1, 2, 3, 4, 5, 6], ["a", "b", "c", "d", "e"]],
  ])("is given again behind seq %i and entry %i", (lastSeq, journaled, seqs, texts) => {
    const lost = recent().since(new FrameGapError(lastSeq, journaled), next);
    expect(lost?.frames.map(({ seq }) => seq)).toEqual(seqs);
    expect(lost?.journal).toEqual({
      first: journaled,
      entries: texts.map((text) => ({ type: "said", text })),
    });
  });

  it("is not given when it is not known whole", () => {
    const writes = recent();
    writes.add(write([6], 4, []), 5_500);
    expect(writes.since(new FrameGapError(1, 0), write([7], 4, []))).toBeUndefined();
    expect(writes.since(new FrameGapError(2, 0), write([7], 4, []))).toBeUndefined();
    expect(writes.since(new FrameGapError(2, 1), write([7], 4, []))?.frames).toHaveLength(5);
  });
});
