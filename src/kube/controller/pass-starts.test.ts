import { describe, expect, it } from "vitest";
import { nextTurn } from "../../time/next-turn.ts";
import type { Priority } from "../client/rate-limiter.ts";
import { PassStarts } from "./pass-starts.ts";
import { LOWER_SHARE } from "./work-queue.ts";

function startsOf(...priorities: readonly Priority[]) {
  const starts = new PassStarts();
  const begun: Priority[] = [];
  const all = priorities.map(async (priority) => {
    await starts.next(priority);
    begun.push(priority);
  });
  return { starts, begun, all: Promise.all(all) };
}

describe("PassStarts", () => {
  it("lets no more than one pass begin in a turn of the event loop", async () => {
    const { begun, all } = startsOf(...Array<Priority>(20).fill("later"));
    let before = 0;
    while (begun.length < 20) {
      await nextTurn();
      expect(begun.length - before).toBeLessThanOrEqual(1);
      before = begun.length;
    }
    await all;
  });

  it("lets urgent ones begin first, and others in between so that they do not wait for ever", async () => {
    const urgent = LOWER_SHARE + 2;
    const { begun, all } = startsOf("later", "later", ...Array<Priority>(urgent).fill("now"));
    await all;
    expect(begun).toEqual([
      ...Array<Priority>(LOWER_SHARE).fill("now"),
      "later",
      "now",
      "now",
      "later",
    ]);
  });

  it("goes on after it had nothing to do", async () => {
    const { starts, all } = startsOf("now");
    await all;
    await nextTurn();
    await starts.next("later");
    await Promise.all([starts.next("later"), starts.next("now")]);
  });
});
