import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameOrder } from "./frame-order.ts";

describe("FrameOrder", () => {
  it("gives every frame on once and in order, however often the line breaks and whatever comes twice", () => {
    fc.assert(
      fc.property(
        // After some frames the connection breaks or frames are left out. Then some are lost and some come twice.
        fc.array(fc.tuple(fc.nat(20), fc.boolean(), fc.nat(5), fc.nat(5)), { maxLength: 20 }),
        (events) => {
          const order = new FrameOrder(0);
          const given: number[] = [];
          let made = 0;
          const receive = (seq: number): void => {
            const arrival = order.take(seq);
            if (arrival === "next") given.push(seq);
            else if (arrival === "gap") catchUp(0);
          };
          function catchUp(twice: number): void {
            order.ask();
            receive(made);
            order.answered(made);
            const from = Math.max(1, order.seq + 1 - twice);
            for (let seq = from; seq <= made; seq++) receive(seq);
          }
          for (const [live, breaks, lost, twice] of events) {
            for (let count = 0; count < live; count++) receive(++made);
            made += lost;
            if (breaks) catchUp(twice);
          }
          catchUp(0);
          expect(given).toEqual(Array.from({ length: made }, (_, index) => index + 1));
        },
      ),
    );
  });

  it("passes over what comes before the answer to what it asked for", () => {
    const order = new FrameOrder(4);
    expect(order.take(7)).toBe("gap");
    order.ask();
    expect(order.take(8)).toBe("double");
    order.answered(8);
    expect([5, 6, 7, 8].map((seq) => order.take(seq))).toEqual(["next", "next", "next", "next"]);
  });

  it("goes on where the server has no longer what is missing", () => {
    const order = new FrameOrder(4);
    order.ask();
    order.answered(20);
    expect(order.take(18)).toBe("next");
    expect(order.take(23)).toBe("gap");
  });

  it("counts on from where a store is that lost its last writes", () => {
    const order = new FrameOrder(9);
    order.ask();
    order.answered(5);
    expect(order.take(6)).toBe("next");
  });
});
