import { describe, expect, it } from "vitest";
import { anAgentConfig, aPrompt } from "../../../test/support/builders/agent-config.ts";
import type { AgentConfig } from "../../agent-config/agent-config.ts";
import { CanaryCounter, type EndedTurn } from "./canary-counter.ts";
import { endingOfStop, type StoredEnding } from "./turn-ending.ts";

function configOf(trial: string | undefined, weight = 50): AgentConfig {
  const canary = { weight, prompt: aPrompt({ version: "new" }), trial };
  const prompt = { active: aPrompt({ version: "old" }), canary, earlier: [] };
  return anAgentConfig({ handler: "runtime", prompt });
}

const done: StoredEnding = {
  type: "done",
  finishReason: "stop",
  usage: undefined,
  content: undefined,
};
const failed = (code: "PROVIDER_ERROR" | "VALIDATION_FAILED" | "UNAVAILABLE"): StoredEnding => ({
  type: "error",
  error: { code, message: "" },
  cause: undefined,
});

function aTurn(turn: Partial<EndedTurn> = {}): EndedTurn {
  return {
    config: configOf("t"),
    sessionId: "session",
    promptVersion: "new",
    isFirst: false,
    ending: done,
    firstChunkMs: undefined,
    ...turn,
  };
}

function aCounter(): CanaryCounter {
  const counter = new CanaryCounter("process");
  counter.take(configOf("t"));
  return counter;
}

function countsOf(turns: readonly Partial<EndedTurn>[]) {
  const counter = aCounter();
  for (const turn of turns) counter.count(aTurn(turn));
  const { firstChunk = [], ...counts } = counter.report().counts ?? {};
  return { ...counts, chunks: firstChunk.reduce((sum, one) => sum + one, 0) };
}

describe("what an agent counts of a canary", () => {
  it("has a turn as failed whose provider answered only when it was asked again", () => {
    const turns = [{ ending: { ...done, wasAskedAgain: true } }, {}];
    expect(countsOf(turns)).toMatchObject({ turns: 2, errors: 1 });
  });

  it("are the scores of the evals of its turns, and of no other version", () => {
    const counter = aCounter();
    counter.countEval("new", 1);
    counter.countEval("new", 0.25);
    counter.countEval("old", 1);
    expect(counter.report().counts).toMatchObject({ evals: 2, evalPoints: 1_250 });
  });

  it("are its sessions, and the turns with how they ended", () => {
    const warnings = [{ validator: "banned_words", message: "" }];
    const turns = [
      { isFirst: true, firstChunkMs: 300 },
      { isFirst: true, ending: failed("PROVIDER_ERROR") },
      { ending: failed("VALIDATION_FAILED") },
      { ending: { ...done, warnings } },
      { firstChunkMs: 1e9 },
    ];
    expect(countsOf(turns)).toEqual({
      sessions: 2,
      turns: 5,
      errors: 1,
      validationFailures: 2,
      evals: 0,
      evalPoints: 0,
      chunks: 2,
    });
  });

  it("are neither turns that a user cancelled, nor those that the store or the replica was to blame for", () => {
    const cancelled = endingOfStop("cancelled");
    if (cancelled.type === "lost") throw new Error("it has an ending");
    const turns = [
      { isFirst: true, ending: cancelled, firstChunkMs: 20 },
      { ending: failed("UNAVAILABLE") },
    ];
    expect(countsOf(turns)).toMatchObject({ sessions: 1, turns: 0, errors: 0 });
  });

  it("are no turns of other versions", () => {
    const turns = [{ promptVersion: "old", ending: failed("PROVIDER_ERROR"), isFirst: true }];
    expect(countsOf(turns)).toMatchObject({ sessions: 0, turns: 0, errors: 0 });
  });

  it("has beside it what the active version did in the same time, and nothing of earlier versions", () => {
    const prompt = {
      ...configOf("t").prompt,
      active: aPrompt({ version: "old" }),
      earlier: [aPrompt({ version: "older" })],
    };
    const config = anAgentConfig({ handler: "runtime", prompt });
    const counter = aCounter();
    counter.count(aTurn({ config, promptVersion: "old", isFirst: true, firstChunkMs: 300 }));
    counter.count(aTurn({ config, promptVersion: "old", ending: failed("PROVIDER_ERROR") }));
    counter.count(aTurn({ config, promptVersion: "older", isFirst: true }));
    counter.count(aTurn({ config, isFirst: true }));
    expect(counter.report()).toMatchObject({
      counts: { sessions: 1, turns: 1, errors: 0 },
      activeCounts: { sessions: 1, turns: 2, errors: 1 },
    });
    counter.take(configOf("another"));
    expect(counter.report().activeCounts).toMatchObject({ sessions: 0, turns: 0 });
  });

  it("begins at zero with another step, and stays when the config changes otherwise", () => {
    const counter = aCounter();
    counter.count(aTurn({ isFirst: true }));
    counter.take(configOf("t", 70));
    expect(counter.report()).toMatchObject({ process: "process", trial: "t" });
    expect(counter.report().counts).toMatchObject({ sessions: 1, turns: 1 });
    counter.take(configOf("another"));
    expect(counter.report()).toMatchObject({ trial: "another", counts: { sessions: 0, turns: 0 } });
  });

  it("are nothing where there is no canary, or one that nobody judges", () => {
    const counter = aCounter();
    for (const config of [configOf(undefined), anAgentConfig()]) {
      counter.take(config);
      counter.count(aTurn());
      expect(counter.report()).toEqual({ process: "process" });
    }
  });
});
