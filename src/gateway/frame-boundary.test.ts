import type { Writable } from "node:stream";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as ws from "ws";
import { closeFrame, FrameBoundary } from "./frame-boundary.ts";

/** Parts of ws that its types do not have. */
const { Receiver, Sender } = ws as unknown as {
  Receiver: new (options: object) => Writable;
  Sender: { frame(data: Buffer, options: object): Buffer[] };
};

interface Frame {
  readonly bytes: number;
  readonly mask: boolean;
  readonly fin: boolean;
}

/** A frame as ws writes it. */
function frameOf({ bytes, mask, fin }: Frame): Buffer {
  const options = { opcode: 2, mask, fin, rsv1: false, readOnly: false };
  return Buffer.concat(Sender.frame(Buffer.alloc(bytes, 0x81), options));
}

/** Cuts at every size in turn, again and again. */
function piecesOf(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, index = 0; at < bytes.length; index += 1) {
    const size = sizes[index % sizes.length] as number;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

describe("the boundary of frames", () => {
  it("is where a frame ends and nowhere else, however the bytes are cut", () => {
    const frame = fc.record({
      bytes: fc.oneof(
        fc.integer({ min: 0, max: 200 }),
        fc.constantFrom(125, 126, 127, 65_535, 65_536),
      ),
      mask: fc.boolean(),
      fin: fc.boolean(),
    });
    const sizes = fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 5 }), sizes, (frames, cuts) => {
        const written = frames.map(frameOf);
        const ends = new Set([0]);
        let length = 0;
        for (const one of written) ends.add((length += one.length));
        const boundary = new FrameBoundary();
        let passed = 0;
        for (const piece of piecesOf(Buffer.concat(written), cuts)) {
          boundary.pass(piece);
          passed += piece.length;
          expect(boundary.isHere).toBe(ends.has(passed));
        }
        expect(boundary.isHere).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

describe("the last frame of a connection", () => {
  it("is read with its code and its reason", async () => {
    const receiver = new Receiver({ isServer: false });
    const concluded = new Promise((resolve) =>
      receiver.on("conclude", (code: number, reason: Buffer) => resolve([code, String(reason)])),
    );
    receiver.write(closeFrame(4401, "the credential is no longer accepted"));
    expect(await concluded).toEqual([4401, "the credential is no longer accepted"]);
  });
});
