import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { ErrorSummary } from "./error-summary.ts";

describe("ErrorSummary", () => {
  it("the first errors of a while are said, and then how many more there were", async () => {
    const clock = new ManualClock();
    const said: string[] = [];
    const summary = new ErrorSummary(clock, (line) => said.push(line));
    for (let index = 1; index <= 100; index += 1) summary.add(`error ${index}`);
    expect(said).toEqual(["error 1", "error 2", "error 3", "error 4", "error 5"]);
    await clock.advance(10_000);
    expect(said.at(-1)).toBe("and 95 more errors, in its log");
    summary.add("another");
    await clock.advance(10_000);
    expect(said.slice(6)).toEqual(["another"]);
    expect(clock.pendingTimers).toBe(0);
  });

  it("what was not said is said at the end", () => {
    const clock = new ManualClock();
    const said: string[] = [];
    const summary = new ErrorSummary(clock, (line) => said.push(line));
    for (let index = 1; index <= 6; index += 1) summary.add("error");
    summary.close();
    expect(said.at(-1)).toBe("and 1 more error, in its log");
    expect(clock.pendingTimers).toBe(0);
  });
});
