import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { nextTurn } from "../../time/next-turn.ts";
import { joinWrites } from "./joined-writes.ts";

/** A client's line, and the pieces that each write to it consisted of. */
function aLine(): { line: Writable; writes: string[][] } {
  const writes: string[][] = [];
  const line = new Writable({
    decodeStrings: false,
    write(piece: string, _encoding, done) {
      writes.push([piece]);
      done();
    },
    writev(pieces, done) {
      writes.push(pieces.map(({ chunk }) => String(chunk)));
      done();
    },
  });
  return { line, writes };
}

function write(line: Writable, piece: string): void {
  joinWrites(line);
  line.write(piece);
}

describe("joinWrites", () => {
  it("lets the first write of a round leave at once, and all others at its end", async () => {
    const first = aLine();
    const second = aLine();
    await nextTurn();
    write(first.line, "a");
    write(second.line, "b");
    write(second.line, "c");
    write(first.line, "d");
    await Promise.resolve();
    expect([first.writes, second.writes]).toEqual([[["a"]], []]);
    await nextTurn();
    expect([first.writes, second.writes]).toEqual([[["a"], ["d"]], [["b", "c"]]]);
  });

  it("begins anew in the next round", async () => {
    const { line, writes } = aLine();
    await nextTurn();
    write(line, "a");
    await nextTurn();
    write(line, "b");
    expect(writes).toEqual([["a"], ["b"]]);
  });

  it("writes what is held when the line is ended, and nothing to a line that is gone", async () => {
    const ended = aLine();
    const gone = aLine();
    await nextTurn();
    write(ended.line, "a");
    write(ended.line, "b");
    write(gone.line, "c");
    ended.line.end();
    gone.line.destroy();
    await nextTurn();
    expect([ended.writes, gone.writes]).toEqual([[["a"], ["b"]], []]);
  });
});
