import { describe, expect, it } from "vitest";
import { aTimeline, BEGIN, iso } from "../../../test/support/builders/a-timeline.ts";
import { isShown, railOf } from "./time-rail.ts";

describe("the rail of time", () => {
  it("draws the calls of a turn to scale", () => {
    const [turn] = railOf(
      aTimeline([
        {
          turnId: "t1",
          startedAt: iso(0),
          firstChunkAt: iso(2),
          endedAt: iso(10),
          calls: [
            { id: "a", name: "outer", startedAt: iso(2), ms: 5_000, outcome: "ok" },
            { id: "b", name: "inner", parent: "a", startedAt: iso(3), ms: 1_000, outcome: "ok" },
          ],
        },
      ]),
      BEGIN,
    );
    expect(turn).toMatchObject({
      ms: 10_000,
      firstChunkMs: 2_000,
      calls: [
        { call: { id: "a" }, depth: 0, bar: { from: 0.2, length: 0.5 } },
        { call: { id: "b" }, depth: 1, bar: { from: 0.3, length: 0.1 } },
      ],
    });
  });

  it("lets the bar of a call that runs reach until now, and none beyond its turn", () => {
    const [turn] = railOf(
      aTimeline([
        {
          turnId: "t1",
          startedAt: iso(0),
          calls: [{ id: "a", name: "slow", startedAt: iso(4), outcome: "running" }],
        },
      ]),
      BEGIN + 8_000,
    );
    expect(turn).toMatchObject({ isRunning: true, ms: 8_000 });
    expect(turn?.calls[0]?.bar).toEqual({ from: 0.5, length: 0.5 });
  });

  it("names a version, a state of the workflow and a pause only where they are new", () => {
    const rail = railOf(
      aTimeline([
        { turnId: "t1", startedAt: iso(0), endedAt: iso(1), packVersion: "a", workflowState: "x" },
        {
          turnId: "t2",
          startedAt: iso(61),
          endedAt: iso(62),
          packVersion: "a",
          workflowState: "y",
        },
        {
          turnId: "t3",
          startedAt: iso(62),
          endedAt: iso(63),
          packVersion: "b",
          workflowState: "y",
        },
      ]),
      BEGIN,
    );
    expect(rail.map(({ newVersion }) => newVersion)).toEqual(["a", undefined, "b"]);
    expect(rail.map(({ newState }) => newState)).toEqual(["x", "y", undefined]);
    expect(rail.map(({ pauseMs }) => pauseMs)).toEqual([undefined, 60_000, 0]);
  });

  it("tells which replicas took a turn over", () => {
    const [turn] = railOf(
      aTimeline([{ turnId: "t1", startedAt: iso(0), endedAt: iso(1), replicas: ["a", "b", "c"] }]),
      BEGIN,
    );
    expect(turn?.takeovers).toEqual(["b", "c"]);
  });

  it.each([
    ["errors", ["t2", "t3"]],
    ["tools", ["t3"]],
    ["changes", ["t1"]],
    ["all", ["t1", "t2", "t3"]],
  ] as const)("filters by %s", (filter, expected) => {
    const rail = railOf(
      aTimeline([
        { turnId: "t1", startedAt: iso(0), endedAt: iso(1), packVersion: "a" },
        { turnId: "t2", startedAt: iso(1), endedAt: iso(2), error: { code: "X", message: "y" } },
        {
          turnId: "t3",
          startedAt: iso(2),
          endedAt: iso(3),
          calls: [{ id: "a", name: "pay", startedAt: iso(2), ms: 1, outcome: "unknown" }],
        },
      ]),
      BEGIN,
    );
    const shown = rail.filter((turn) => isShown(turn, filter, ""));
    expect(shown.map(({ id }) => id)).toEqual(expected);
  });

  it("finds words in messages, answers and names of tools", () => {
    const rail = railOf(
      aTimeline(
        [
          { turnId: "t1", startedAt: iso(0), endedAt: iso(1) },
          {
            turnId: "t2",
            startedAt: iso(1),
            endedAt: iso(2),
            calls: [{ id: "a", name: "Weather", startedAt: iso(1), ms: 1, outcome: "ok" }],
          },
        ],
        [{ role: "user", turnId: "t1", content: "How is the WEATHER?" }],
      ),
      BEGIN,
    );
    expect(rail.filter((turn) => isShown(turn, "all", " weather "))).toHaveLength(2);
    expect(rail.filter((turn) => isShown(turn, "all", "snow"))).toHaveLength(0);
  });
});
