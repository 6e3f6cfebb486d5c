import { describe, expect, it } from "vitest";
import { aPack, aPrompt } from "../../../test/support/builders/a-pack.ts";
import { promptPackDocumentSchema } from "../../promptpack/document/prompt-pack-document.ts";
import { planEvals, planExpectations, type EvalPlan } from "./plan-evals.ts";

type Fields = Record<string, unknown>;

function anEval(id: string, fields: Fields = {}): Fields {
  return { id, type: "json_valid", trigger: "every_turn", ...fields };
}

function planned(
  ofPack: readonly Fields[],
  options: { ofPrompt?: readonly Fields[]; groups?: string[]; isSampled?: boolean } = {},
): EvalPlan {
  const { ofPrompt = [], groups = [], isSampled = false } = options;
  const prompts = {
    support: aPrompt({ evals: ofPrompt }),
    other: aPrompt({ evals: [anEval("x")] }),
  };
  const pack = promptPackDocumentSchema.parse(aPack({ evals: ofPack, prompts }));
  return planEvals(pack, { prompt: "support", groups, isSampled });
}

function idsOf({ evals }: EvalPlan): string[] {
  return evals.map(({ id }) => id);
}

describe("the plan of evals", () => {
  it("has those of the pack and of the prompt, which come first where they have one id", () => {
    const plan = planned([anEval("a"), anEval("b")], {
      ofPrompt: [anEval("b", { type: "contains", params: { patterns: ["x"] } }), anEval("c")],
    });
    expect(plan.evals.map(({ id, type }) => `${id} ${type}`)).toEqual([
      "a json_valid",
      "b contains",
      "c json_valid",
    ]);
  });

  it("leaves out what is switched off, also where that hides an eval of the pack", () => {
    const plan = planned([anEval("a"), anEval("b", { enabled: false })], {
      ofPrompt: [anEval("a", { enabled: false })],
    });
    expect(idsOf(plan)).toEqual([]);
  });

  it("has those of the groups alone, and knows groups by the type where there are none", () => {
    const evals = [
      anEval("own", { groups: ["safety"] }),
      anEval("fast"),
      anEval("judge", { type: "llm_judge", params: { criteria: "c" } }),
    ];
    expect(idsOf(planned(evals, { groups: ["safety"] }))).toEqual(["own"]);
    expect(idsOf(planned(evals, { groups: ["default"] }))).toEqual(["fast", "judge"]);
    expect(idsOf(planned(evals, { groups: ["fast-running"] }))).toEqual(["fast"]);
    expect(idsOf(planned(evals, { groups: ["external"] }))).toEqual(["judge"]);
    expect(idsOf(planned(evals, { groups: ["none"] }))).toEqual([]);
  });

  it.each([
    ["every_turn", "turn"],
    ["sample_turns", "turn"],
    ["on_session_complete", "conversation"],
    ["on_conversation_complete", "conversation"],
    ["sample_sessions", "conversation"],
  ])("judges with the trigger %s each %s", (trigger, scope) => {
    expect(planned([anEval("a", { trigger })]).evals[0]?.scope).toBe(scope);
  });

  it("judges a sampled eval always, unless its share is asked for", () => {
    const evals = [
      anEval("a", { trigger: "sample_turns", sample_percentage: 20 }),
      anEval("b", { trigger: "sample_sessions" }),
      anEval("c", { sample_percentage: 20 }),
    ];
    const shares = (plan: EvalPlan) => plan.evals.map(({ samplePercentage }) => samplePercentage);
    expect(shares(planned(evals))).toEqual([undefined, undefined, undefined]);
    expect(shares(planned(evals, { isSampled: true }))).toEqual([20, 5, undefined]);
  });

  it.each([
    ["an unknown type", { type: "cosine_similarity" }, true],
    ["an unknown trigger", { trigger: "on_workflow_step" }, true],
    ["an unknown condition", { when: { mood: "good" } }, true],
    ["a condition of another type", { when: { min_tool_calls: "2" } }, true],
    ["params that cannot be read", { type: "contains" }, false],
    ["an unknown comparison", { threshold: { operator: "about", value: 1 } }, false],
    ["a threshold without a value", { threshold: { operator: "gte" } }, false],
    ["a score that is no number", { params: { min_score: "0.5" } }, false],
    ["an assertion about nothing", { type: "assertion", params: {} }, false],
    [
      "an assertion about an assertion",
      { type: "assertion", params: { eval_type: "assertion" } },
      false,
    ],
    ["an assertion of an unknown type", { type: "assertion", params: { eval_type: "bias" } }, true],
  ])("names what is not run: %s", (_what, fields, isUnknown) => {
    const plan = planned([anEval("a", fields)]);
    expect(plan.evals).toEqual([]);
    expect(plan.notRun).toMatchObject([{ id: "a", isUnknown }]);
  });

  it.each([
    [{ threshold: { operator: "gte", value: 0.8 } }, [0.7, 0.8, 0.9], [false, true, true]],
    [{ threshold: { value: 0.8 } }, [0.7, 0.8], [false, true]],
    [{ threshold: { operator: "lt", value: 2 } }, [1, 2], [true, false]],
    [{ threshold: { operator: "==", value: 2 } }, [1, 2], [false, true]],
    [{ params: { min_score: 0.2, max_score: 0.4 } }, [0.1, 0.2, 0.5], [false, true, false]],
    [
      {
        type: "assertion",
        params: { eval_type: "json_valid", eval_params: {}, min_score: 0.5 },
      },
      [0.4, 0.5],
      [false, true],
    ],
  ])("reads what score is enough: %j", (fields, scores, enough) => {
    const isEnough = planned([anEval("a", fields)]).evals[0]?.isEnough;
    expect(scores.map((score) => isEnough?.(score))).toEqual(enough);
  });

  it("reads what a turn expects: a text, or an eval", () => {
    const { evals, notRun } = planExpectations(
      ["refund", { type: "regex", params: { pattern: "a" }, id: "own" }, { type: "nothing" }],
      "returns, turn 2",
    );
    expect(evals.map(({ id, type }) => [id, type])).toEqual([
      ["expect 1", "contains"],
      ["own", "regex"],
    ]);
    expect(notRun).toMatchObject([{ id: "expect 3", isUnknown: true }]);
    expect(notRun[0]?.reason).toContain('returns, turn 2: the type "nothing" is not known here');
  });
});
