import { describe, expect, it } from "vitest";
import type { WorkflowConfig } from "../../../agent-config/agent-config.ts";
import type { WorkflowPosition } from "../../sessions/history-message.ts";
import { decideTransition } from "./decide-transition.ts";

const NOW = 100_000;
const step = (events: Record<string, string>, more: object = {}) => ({
  prompt: "support",
  events,
  ...more,
});

function decide(
  states: WorkflowConfig["states"],
  event: string,
  position: Partial<WorkflowPosition> = {},
  budget?: WorkflowConfig["budget"],
) {
  const at = { state: "a", visits: { a: 1 }, toolCalls: 0, startedAt: NOW - 10_000, ...position };
  return decideTransition({ entry: "a", states, budget }, at, event, NOW);
}

describe("an event of a workflow", () => {
  const plain = { a: step({ Go: "b", Again: "a" }), b: step({}) };

  it("moves a session to its state, which may be the same one", () => {
    expect(decide(plain, "Go")).toEqual({ to: "b", insteadOf: undefined });
    expect(decide(plain, "Again")).toEqual({ to: "a", insteadOf: undefined });
  });

  it.each(["Other", "constructor", ""])(
    "that the state does not have (%j) moves nothing",
    (event) => {
      expect(decide(plain, event)).toMatchObject({
        problem: expect.stringContaining("its events are: Go, Again") as string,
      });
    },
  );

  it("moves nothing out of a state without events", () => {
    expect(decide(plain, "Go", { state: "b" })).toMatchObject({
      problem: expect.stringContaining("its events are: none") as string,
    });
  });

  it("leads elsewhere when its state was visited often enough, and nowhere when there is no other", () => {
    const bounded = (onMaxVisits?: string) => ({
      a: step({ Go: "b" }),
      b: step({ Go: "a" }, { maxVisits: 2, ...(onMaxVisits !== undefined && { onMaxVisits }) }),
      c: step({}),
    });
    const visits = { a: 2, b: 2 };
    expect(decide(bounded(), "Go", { visits: { a: 2, b: 1 } })).toMatchObject({ to: "b" });
    expect(decide(bounded("c"), "Go", { visits })).toEqual({ to: "c", insteadOf: "b" });
    expect(decide(bounded(), "Go", { visits })).toEqual({
      problem: 'the state "b" was visited 2 times, and may be no more',
    });
  });

  it("comes to an end where the states that stand in for each other are all used up", () => {
    const full = (onMaxVisits: string) => step({}, { maxVisits: 1, onMaxVisits });
    const states = { a: step({ Go: "b" }), b: full("c"), c: full("b") };
    expect(decide(states, "Go", { visits: { a: 1, b: 1, c: 1 } })).toHaveProperty("problem");
    expect(decide(states, "Go", { visits: { a: 1, b: 1 } })).toEqual({ to: "c", insteadOf: "b" });
  });

  it.each([
    [{ maxTotalVisits: 2 }, { visits: { a: 1, b: 1 } }, "2 visits of states"],
    [{ maxToolCalls: 5 }, { toolCalls: 5 }, "5 tool calls"],
    [{ maxWallTimeSec: 10 }, {}, "10 seconds"],
  ])("moves nothing when the budget %j is used up", (budget, position, says) => {
    expect(decide(plain, "Go", position, budget)).toMatchObject({
      problem: expect.stringContaining(says) as string,
    });
    const larger = Object.fromEntries(
      Object.entries(budget).map(([key, limit]) => [key, limit + 1]),
    );
    expect(decide(plain, "Go", position, larger)).toMatchObject({ to: "b" });
  });
});
