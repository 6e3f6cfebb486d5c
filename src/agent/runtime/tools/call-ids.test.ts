import { describe, expect, it } from "vitest";
import { newModelStep, type ModelStep } from "../providers/model-step.ts";
import { CallIds } from "./call-ids.ts";

function stepWith(...ids: string[]): ModelStep {
  const step = newModelStep();
  for (const id of ids) {
    step.toolCalls.push({ id, name: "pay", input: "{}" });
    step.parts.push({ type: "text", length: 0 }, { type: "tool-call", id });
  }
  return step;
}

function idsIn(step: ModelStep): string[] {
  const inParts = step.parts.flatMap((part) => (part.type === "tool-call" ? part.id : []));
  const ids = step.toolCalls.map(({ id }) => id);
  expect(inParts).toEqual(ids);
  return ids;
}

function assigned(used: string[], ...ids: string[]): string[] {
  const step = stepWith(...ids);
  new CallIds(used).assign(step);
  return idsIn(step);
}

describe("the ids of the calls of a step", () => {
  it("are the server's where the session has none of them", () => {
    expect(assigned(["c"], "a", "functions.weather:0")).toEqual(["a", "functions.weather:0"]);
  });

  it("differ from those of the session and from each other", () => {
    expect(assigned(["call_0"], "call_0", "call_0", "call_1")).toEqual([
      "call_0-2",
      "call_0-3",
      "call_1",
    ]);
    expect(assigned(["a", "a-2"], "a", "a-3", "a-2")).toEqual(["a-3", "a-3-2", "a-2-2"]);
  });

  it("differ from those of calls that were forgotten", () => {
    expect(assigned(["a-7"], "a", "a")).toEqual(["a-8", "a-9"]);
  });

  it("are made up where the server gave none", () => {
    expect(assigned([], "", " ", "")).toEqual(["call", "call-2", "call-3"]);
  });

  it("are shortened where they are very long, and stay different", () => {
    const long = "x".repeat(5_000);
    expect(assigned([], `${long}1`, `${long}2`)).toEqual(["x".repeat(40), `${"x".repeat(40)}-2`]);
  });

  it("have no half characters", () => {
    expect(assigned([], "a\ud83d", `${"x".repeat(39)}😀${"x".repeat(300)}`)).toEqual([
      "a\ufffd",
      `${"x".repeat(39)}\ufffd`,
    ]);
  });

  it("are the same on every replica that knows the same calls", () => {
    expect(assigned(["a"], "a", "", "b")).toEqual(assigned(["a"], "a", "", "b"));
  });

  it("are not those of the steps that another replica took", () => {
    const callIds = new CallIds([]);
    callIds.keep("a");
    const step = stepWith("a");
    callIds.assign(step);
    expect(idsIn(step)).toEqual(["a-2"]);
  });

  it("leave a long id of the server in the step, for the server wants it back", () => {
    const long = "x".repeat(41);
    const step = stepWith(long, "y".repeat(40));
    new CallIds([long]).assign(step);
    expect(step.parts.filter(({ type }) => type === "tool-call")).toEqual([
      { type: "tool-call", id: `${long}-2`, serverId: long },
      { type: "tool-call", id: "y".repeat(40) },
    ]);
  });
});
