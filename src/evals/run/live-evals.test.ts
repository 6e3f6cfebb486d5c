import { describe, expect, it } from "vitest";
import { aPack, aPrompt } from "../../../test/support/builders/a-pack.ts";
import { promptPackDocumentSchema } from "../../promptpack/document/prompt-pack-document.ts";
import { liveEvals, MAX_LIVE_EVALS, readLiveEvals, type LiveEvals } from "./live-evals.ts";

function found(evals: readonly object[], groups: readonly string[] = []): LiveEvals {
  const written = evals.map((one, index) => ({
    id: `e${index}`,
    type: "json_valid",
    trigger: "every_turn",
    ...one,
  }));
  const pack = aPack({ evals: written, prompts: { support: aPrompt() } });
  return liveEvals(promptPackDocumentSchema.parse(pack), { prompt: "support", groups });
}

describe("evals on the turns of an agent", () => {
  it.each([
    {},
    { trigger: "sample_turns", sample_percentage: 20 },
    { type: "contains", params: { patterns: ["x"] }, when: { tool_called: "search" } },
    { type: "assertion", params: { eval_type: "json_valid", eval_params: {} } },
    { type: "latency_budget", params: { max_ms: 100 } },
  ])("are those that can be judged by one turn: %j", (one) => {
    const { written, notRun } = found([one]);
    expect(written).toHaveLength(1);
    expect(notRun).toEqual([]);
    expect(readLiveEvals(written)).toHaveLength(1);
  });

  it.each([
    [{ trigger: "on_session_complete" }, /its trigger is "on_session_complete"/],
    [{ trigger: "sample_sessions" }, /single turns/],
    [{ type: "llm_judge", params: { criteria: "kind" } }, /asks a model/],
    [{ type: "assertion", params: { eval_type: "llm_judge" } }, /asks a model/],
    [{ type: "tools_called_session", params: { tool_names: ["a"] } }, /whole session/],
    [{ when: { turn_count_gte: 3 } }, /turn_count_gte is about a whole session/],
    [{ type: "of_another_program" }, /not known here/],
    [{ type: "regex", params: {} }, /params needs pattern/],
  ])("are none that needs more: %j", (one, reason) => {
    const { written, notRun } = found([one]);
    expect(written).toEqual([]);
    expect(notRun).toEqual([expect.objectContaining({ id: "e0", reason: expect.anything() })]);
    expect(notRun[0]?.reason).toMatch(reason);
  });

  it("leave out what is switched off, and other groups than those asked for", () => {
    const { written, notRun } = found(
      [{ enabled: false }, { groups: ["slow"] }, { groups: ["quick", "slow"] }, {}],
      ["quick"],
    );
    expect(written.map(({ id }) => id)).toEqual(["e2"]);
    expect(notRun).toEqual([]);
  });

  it("are so many of one prompt at most, and the others are named", () => {
    const { written, notRun } = found(Array.from({ length: MAX_LIVE_EVALS + 2 }, () => ({})));
    expect(written).toHaveLength(MAX_LIVE_EVALS);
    expect(notRun.map(({ id }) => id)).toEqual(["e50", "e51"]);
  });
});
