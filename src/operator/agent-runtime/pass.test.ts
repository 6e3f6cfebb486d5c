import { expect, it, describe } from "vitest";
import { type Pass, type Phase, type PhaseResult, runPhases } from "./pass.ts";

const { signal } = new AbortController();

function aPassOver(...results: (PhaseResult | void)[]) {
  const ran: number[] = [];
  const phases = results.map((result, index): Phase => {
    return async () => {
      ran.push(index);
      return result;
    };
  });
  return { ran, done: runPhases(phases, {} as Pass, signal) };
}

describe("a pass", () => {
  it("runs its phases in order, and asks for no other pass when none of them does", async () => {
    const { ran, done } = aPassOver(undefined, {}, { requeueAfterMs: undefined });
    expect(await done).toBeUndefined();
    expect(ran).toEqual([0, 1, 2]);
  });

  it("asks for the next pass as soon as any of its phases does", async () => {
    const { done } = aPassOver({ requeueAfterMs: 500 }, {}, { requeueAfterMs: 250 });
    expect(await done).toEqual({ requeueAfterMs: 250 });
  });

  it("ends with the phase that says so", async () => {
    const { ran, done } = aPassOver({ requeueAfterMs: 500, endsPass: true }, { requeueAfterMs: 1 });
    expect(await done).toEqual({ requeueAfterMs: 500 });
    expect(ran).toEqual([0]);
  });

  it("rejects as the phase that fails, and goes no further", async () => {
    const ran: string[] = [];
    const fails: Phase = async () => {
      throw new Error("the API server is away");
    };
    const next: Phase = async () => void ran.push("next");
    await expect(runPhases([fails, next], {} as Pass, signal)).rejects.toThrow("is away");
    expect(ran).toEqual([]);
  });
});
