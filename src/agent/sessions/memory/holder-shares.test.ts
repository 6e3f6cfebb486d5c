import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BIG_SESSION_BYTES } from "../session-store.ts";
import { HolderShares } from "./holder-shares.ts";

const BIG = BIG_SESSION_BYTES + 1;
const SMALL = 1;

describe("the sessions of a holder", () => {
  it("make way in the order in which they were last in use, the big ones first, whatever became of them", () => {
    const steps = fc.array(
      fc.tuple(fc.constantFrom("touch", "remove", BIG, SMALL), fc.constantFrom(0, 1, 2)),
    );
    fc.assert(
      fc.property(steps, (each) => {
        const shares = new HolderShares<{ holder: string; countedBytes: number }>(10 * BIG);
        const sessions = [0, 1, 2].map(() => ({ holder: "h", countedBytes: 0 }));
        let expected: number[] = [];
        for (const [step, index] of each) {
          const session = sessions[index] as (typeof sessions)[number];
          const isThere = expected.includes(index);
          const moves = typeof step === "string" || !isThere || session.countedBytes !== step;
          if (moves && (isThere || typeof step === "number")) {
            expected = expected.filter((other) => other !== index);
            if (step !== "remove") expected.push(index);
          }
          if (typeof step === "number") shares.count(session, step);
          else if (step === "touch") shares.touch(session);
          else shares.remove(session);
        }
        const isBig = (index: number) => sessions[index]?.countedBytes === BIG;
        expect([...shares.of("h")].map((session) => sessions.indexOf(session))).toEqual([
          ...expected.filter(isBig),
          ...expected.filter((index) => !isBig(index)),
        ]);
        expect(shares.bytes).toBe(
          sessions.reduce((sum, { countedBytes }) => sum + countedBytes, 0),
        );
      }),
    );
  });
});
