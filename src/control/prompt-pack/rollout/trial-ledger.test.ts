import { describe, expect, it } from "vitest";
import { NO_COUNTS } from "./canary-counts.ts";
import { type TrialAnswer, TrialLedger } from "./trial-ledger.ts";

const counts = (turns: number) => ({ ...NO_COUNTS, sessions: turns, turns });
const NOTHING_ENDED = { canary: NO_COUNTS, active: NO_COUNTS };

function answer(process: string, canary: number, active: number | undefined): TrialAnswer {
  const activeCounts = active === undefined ? undefined : counts(active);
  const report = { process, trial: "t", counts: counts(canary), activeCounts };
  return { replica: "a", isReady: true, report };
}

describe("the counts of a trial", () => {
  it("are summed for the canary and for the active version, each for itself", () => {
    const ledger = new TrialLedger("t", NOTHING_ENDED);
    const other = { ...answer("2", 1, 9), replica: "b" };
    expect(ledger.take([answer("1", 2, 8), other])).toMatchObject({
      counts: counts(3),
      active: { counts: counts(17), ended: NO_COUNTS },
    });
  });

  it("keep what a process counted of both that was restarted", () => {
    const ledger = new TrialLedger("t", NOTHING_ENDED);
    ledger.take([answer("1", 2, 8)]);
    expect(ledger.take([answer("2", 1, 1)])).toMatchObject({
      counts: counts(3),
      ended: counts(2),
      active: { counts: counts(9), ended: counts(8) },
    });
  });

  it("go on with what ended before a restart of who sums them up", () => {
    const ledger = new TrialLedger("t", { canary: counts(2), active: counts(8) });
    expect(ledger.take([])).toMatchObject({ counts: counts(2), active: { counts: counts(8) } });
  });

  it("say nothing of the active version while no replica counts it", () => {
    const ledger = new TrialLedger("t", NOTHING_ENDED);
    expect(ledger.take([answer("1", 2, undefined)]).active).toBeUndefined();
  });
});
