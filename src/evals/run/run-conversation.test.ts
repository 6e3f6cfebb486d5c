import { describe, expect, it } from "vitest";
import { aPack } from "../../../test/support/builders/a-pack.ts";
import { systemClock } from "../../time/clock.ts";
import { promptPackDocumentSchema } from "../../promptpack/document/prompt-pack-document.ts";
import type { ScriptedConversation } from "../conversation/read-conversations.ts";
import type { TurnRecord } from "../conversation/transcript.ts";
import type { ConversationResult } from "./eval-result.ts";
import { summaryOf } from "./eval-result.ts";
import { inParallel } from "./in-parallel.ts";
import { planEvals } from "./plan-evals.ts";
import { runConversation } from "./run-conversation.ts";

const script: ScriptedConversation = {
  id: "talk",
  variables: { tier: "gold" },
  turns: [
    { user: "one", expect: ["answer to one"] },
    { user: "two", expect: [] },
  ],
};

function answerTo(user: string): TurnRecord {
  return { user, answer: `answer to ${user}`, toolCalls: [], finishReason: "stop", latencyMs: 1 };
}

function run(
  evals: readonly Record<string, unknown>[],
  options: {
    turn?: (message: string) => Promise<TurnRecord>;
    isSampled?: boolean;
    signal?: AbortSignal;
  } = {},
): Promise<ConversationResult> {
  const pack = promptPackDocumentSchema.parse(aPack({ evals }));
  const plan = planEvals(pack, {
    prompt: "support",
    groups: [],
    isSampled: options.isSampled ?? false,
  });
  return runConversation(script, {
    evals: plan.evals,
    turn: options.turn ?? (async (message) => answerTo(message)),
    ask: undefined,
    clock: systemClock,
    signal: options.signal ?? new AbortController().signal,
  });
}

function shown({ checks }: ConversationResult): string[] {
  return checks.map(({ eval: id, turn, outcome }) => `${turn ?? "all"} ${id} ${outcome}`);
}

const contains = (pattern: string) => ({ type: "contains", params: { patterns: [pattern] } });

describe("a conversation", () => {
  it("is judged turn by turn, and as a whole at its end", async () => {
    const result = await run([
      { id: "a", trigger: "every_turn", ...contains("two") },
      { id: "b", trigger: "on_session_complete", ...contains("two"), message: "Not so" },
      { id: "c", trigger: "on_session_complete", ...contains("one"), message: "Not so" },
    ]);
    expect(shown(result)).toEqual([
      "1 expect passed",
      "1 a failed",
      "2 a passed",
      "all b passed",
      "all c failed",
    ]);
    expect(result.checks.at(-1)?.message).toBe('Not so: it lacks "one"');
    expect(result.turns).toBe(2);
  });

  it("is judged by an eval only where its condition holds", async () => {
    const judged = async (when: object): Promise<string[]> =>
      shown(await run([{ id: "a", trigger: "every_turn", ...contains("answer"), when }])).filter(
        (line) => line.includes(" a "),
      );
    const [skipped, passed] = ["skipped", "passed"];
    expect(await judged({ turn_count_gte: 2 })).toEqual([`1 a ${skipped}`, `2 a ${passed}`]);
    expect(await judged({ has_variable: "tier" })).toEqual([`1 a ${passed}`, `2 a ${passed}`]);
    expect(await judged({ has_variable: "toString" })).toEqual([
      `1 a ${skipped}`,
      `2 a ${skipped}`,
    ]);
    expect(await judged({ any_tool_called: true })).toEqual([`1 a ${skipped}`, `2 a ${skipped}`]);
    expect(await judged({ tool_called_pattern: "^get" })).toEqual([
      `1 a ${skipped}`,
      `2 a ${skipped}`,
    ]);
  });

  it("is judged by a sampled eval for its share, the same in every run", async () => {
    const evals = [
      { id: "a", trigger: "sample_turns", sample_percentage: 50, ...contains("answer") },
      { id: "none", trigger: "sample_turns", sample_percentage: 0, ...contains("answer") },
      { id: "all", trigger: "sample_turns", sample_percentage: 100, ...contains("answer") },
    ];
    const first = shown(await run(evals, { isSampled: true }));
    expect(first).toContain("1 none skipped");
    expect(first).toContain("1 all passed");
    expect(shown(await run(evals, { isSampled: true }))).toEqual(first);
  });

  it("breaks off with the turn that has no answer, and is not judged as a whole then", async () => {
    const result = await run([{ id: "b", trigger: "on_session_complete", ...contains("two") }], {
      turn: async (message) => {
        if (message === "two") throw new Error("PROVIDER_ERROR: it is down");
        return answerTo(message);
      },
    });
    expect(result.failure).toBe("turn 2: PROVIDER_ERROR: it is down");
    expect(shown(result)).toEqual(["1 expect passed"]);
    expect(
      summaryOf({ conversations: [result], notRun: [] }, { allowsUnknown: true }),
    ).toMatchObject({ broken: 1, passed: 1, failed: 0, ok: false });
  });

  it("ends with the reason of the signal", async () => {
    const stop = new AbortController();
    const running = run([], {
      signal: stop.signal,
      turn: async (message) => {
        stop.abort(new Error("interrupted"));
        return answerTo(message);
      },
    });
    await expect(running).rejects.toThrow("interrupted");
  });
});

describe("the summary", () => {
  it("counts evals that are not run as failures, and unknown ones only unless they are allowed", async () => {
    const conversations = [await run([])];
    const unknown = { id: "a", type: "bias", reason: "", isUnknown: true };
    const mistaken = { id: "b", type: "contains", reason: "", isUnknown: false };
    const isOk = (notRun: (typeof unknown)[], allowsUnknown: boolean) =>
      summaryOf({ conversations, notRun }, { allowsUnknown }).ok;
    expect(isOk([], false)).toBe(true);
    expect(isOk([unknown], false)).toBe(false);
    expect(isOk([unknown], true)).toBe(true);
    expect(isOk([mistaken], true)).toBe(false);
  });
});

describe("work in parallel", () => {
  it("is done so many at a time, with results in the order of the items", async () => {
    let running = 0;
    let most = 0;
    const results = await inParallel([3, 1, 2, 0], 2, async (item) => {
      most = Math.max(most, (running += 1));
      for (let turn = 0; turn < item; turn += 1) await Promise.resolve();
      running -= 1;
      return item * 10;
    });
    expect(results).toEqual([30, 10, 20, 0]);
    expect(most).toBe(2);
  });

  it("begins nothing more once something has failed", async () => {
    const begun: number[] = [];
    const work = inParallel([1, 2, 3], 1, async (item) => {
      begun.push(item);
      throw new Error("no");
    });
    await expect(work).rejects.toThrow("no");
    expect(begun).toEqual([1]);
  });
});
