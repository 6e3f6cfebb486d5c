import { describe, expect, it } from "vitest";
import { NO_COUNTS } from "./canary-counts.ts";
import { type ReplicaAnswer, ReplicaLedger } from "./replica-ledger.ts";

const counts = (turns: number, errors = 0) => ({ ...NO_COUNTS, sessions: turns, turns, errors });

function answer(
  replica: string,
  process: string,
  turns: number,
  { trial = "t", isReady = true, errors = 0 } = {},
): ReplicaAnswer {
  return { replica, isReady, report: { process, trial, counts: counts(turns, errors) } };
}

const silent = (replica: string, isReady = true): ReplicaAnswer => ({
  replica,
  isReady,
  report: undefined,
});

function aLedger(ended = NO_COUNTS): ReplicaLedger {
  return new ReplicaLedger("t", ended);
}

describe("the counts of all replicas", () => {
  it("are the sum of what each says now", () => {
    const ledger = aLedger();
    ledger.take([answer("a", "1", 3), answer("b", "2", 4)]);
    const seen = ledger.take([answer("a", "1", 5, { errors: 1 }), answer("b", "2", 4)]);
    expect(seen).toEqual({ counts: counts(9, 1), ended: NO_COUNTS, counting: 2, silent: 0 });
  });

  it("keep those of a process that was restarted in its replica", () => {
    const ledger = aLedger();
    ledger.take([answer("a", "1", 7, { errors: 2 })]);
    const seen = ledger.take([answer("a", "2", 1)]);
    expect(seen.counts).toEqual(counts(8, 2));
    expect(seen.ended).toEqual(counts(7, 2));
  });

  it("keep those of a replica that is gone, and count them once should it show again", () => {
    const ledger = aLedger();
    ledger.take([answer("a", "1", 7), answer("b", "2", 1)]);
    expect(ledger.take([answer("b", "2", 2)]).counts).toEqual(counts(9));
    const back = ledger.take([answer("a", "1", 8), answer("b", "2", 2)]);
    expect(back).toMatchObject({ counts: counts(10), ended: NO_COUNTS });
  });

  it("keep those of a replica that does not answer, and say that it is silent", () => {
    const ledger = aLedger();
    ledger.take([answer("a", "1", 7)]);
    expect(ledger.take([silent("a")])).toEqual({
      counts: counts(7),
      ended: NO_COUNTS,
      counting: 0,
      silent: 1,
    });
    expect(ledger.take([silent("a", false)])).toMatchObject({ silent: 0 });
  });

  it("leave out what is of another step", () => {
    const ledger = aLedger();
    const late = answer("a", "1", 100, { trial: "the step before" });
    const unaware = { replica: "b", isReady: true, report: { process: "2" } };
    expect(ledger.take([late, unaware])).toEqual({
      counts: NO_COUNTS,
      ended: NO_COUNTS,
      counting: 0,
      silent: 0,
    });
  });

  it("go on from what had ended when the operator was restarted", () => {
    const before = aLedger();
    before.take([answer("a", "1", 7), answer("b", "2", 3)]);
    const { ended } = before.take([answer("a", "1", 8)]);
    const after = aLedger(ended);
    expect(after.take([silent("a")]).counts).toEqual(counts(3));
    expect(after.take([answer("a", "1", 12)]).counts).toEqual(counts(15));
  });

  it("are right however many processes have ended", () => {
    const ledger = aLedger();
    for (let process = 0; process < 1_000; process += 1) {
      ledger.take([answer("a", `process-${process}`, 2)]);
    }
    expect(ledger.take([])).toMatchObject({ counts: counts(2_000), ended: counts(2_000) });
  });

  it("take more buckets than there are for none", () => {
    const firstChunk = Array.from({ length: 64 }, () => 1);
    const seen = aLedger().take([
      {
        replica: "a",
        isReady: true,
        report: { process: "1", trial: "t", counts: { ...NO_COUNTS, firstChunk } },
      },
    ]);
    expect(seen.counts.firstChunk).toHaveLength(NO_COUNTS.firstChunk.length);
  });
});
