import { describe, expect, it } from "vitest";
import { parallelGroups } from "./parallel-groups.ts";
import { NO_CALL, type Call } from "./turn-parts.ts";

describe("calls side by side", () => {
  it.each<[string, [number | undefined, number | undefined][], number[]]>([
    [
      "one after the other",
      [
        [0, 10],
        [10, 10],
      ],
      [1, 1],
    ],
    [
      "at once",
      [
        [0, 10],
        [1, 3],
        [9, 1],
      ],
      [3],
    ],
    [
      "at once, beside one that runs",
      [
        [0, undefined],
        [50, 3],
      ],
      [2],
    ],
    [
      "at unknown times",
      [
        [undefined, undefined],
        [undefined, undefined],
      ],
      [1, 1],
    ],
  ])("are calls %s", (_words, times, sizes) => {
    const calls = times.map(([startedAt, ms], index): Call => ({
      ...NO_CALL,
      id: String(index),
      name: "x",
      startedAt,
      ms,
      outcome: ms === undefined && startedAt !== undefined ? "running" : "ok",
    }));
    expect(parallelGroups(calls).map(({ length }) => length)).toEqual(sizes);
  });
});
