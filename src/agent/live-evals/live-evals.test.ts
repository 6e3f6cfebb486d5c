import { describe, expect, it } from "vitest";
import { aPrompt } from "../../../test/support/builders/agent-config.ts";
import { createMetrics } from "../../observability/metrics.ts";
import { createLog } from "../../observability/log.ts";
import { createAgentMetrics } from "../contracts/agent-metrics.ts";
import { MAX_TURNS_TO_JUDGE } from "../contracts/limits.ts";
import type { JudgedTurn } from "./judged-turn.ts";
import { LiveEvals } from "./live-evals.ts";

type WrittenEvals = NonNullable<JudgedTurn["prompt"]["evals"]>;

function anEval(id: string, fields: object = {}): WrittenEvals["written"][number] {
  return { id, type: "contains", trigger: "every_turn", params: { patterns: ["yes"] }, ...fields };
}

function aTurn(evals: WrittenEvals, fields: Partial<JudgedTurn> = {}): JudgedTurn {
  return {
    turnId: "turn",
    prompt: aPrompt({ version: "abc", evals }),
    userMessage: "Is it so?",
    answer: "yes",
    messages: [],
    finishReason: "stop",
    usage: { input_tokens: 1, output_tokens: 2 },
    durationMs: 10,
    ...fields,
  };
}

function setUp() {
  const registry = createMetrics({ processMetrics: false });
  const gauges = {
    connectionsActive: () => 0,
    sessionsActive: () => 0,
    requestsInflight: () => 0,
  };
  const metrics = createAgentMetrics(registry, gauges);
  const scores: [string, number][] = [];
  const evals = new LiveEvals({
    metrics,
    log: createLog({ level: "silent" }),
    onScore: (version, score) => scores.push([version, score]),
  });
  const counted = async (): Promise<Record<string, number>> => {
    const text = await registry.text();
    const lines = text.matchAll(/^omnia_agent_evals_total\{([^}]*)\} (\d+)$/gm);
    const label = (labels: string, name: string): string =>
      new RegExp(`${name}="([^"]*)"`).exec(labels)?.[1] ?? "";
    return Object.fromEntries(
      [...lines].map(([, labels = "", count]) => [
        ["eval", "version", "outcome"].map((name) => label(labels, name)).join(" "),
        Number(count),
      ]),
    );
  };
  return { evals, scores, counted };
}

describe("evals on the turns of an agent", () => {
  it("are counted by version and outcome, with their scores", async () => {
    const { evals, scores, counted } = setUp();
    const written = [
      anEval("is-yes"),
      anEval("is-half", { params: { patterns: ["yes", "no"] } }),
      anEval("is-long", { type: "token_count", params: { min: 100 } }),
      anEval("after-a-call", { when: { any_tool_called: true } }),
    ];
    evals.judge(aTurn({ written }));
    await evals.idle();
    expect(await counted()).toEqual({
      "is-yes abc passed": 1,
      "is-half abc failed": 1,
      "is-long abc failed": 1,
      "after-a-call abc skipped": 1,
    });
    expect(scores).toEqual([
      ["abc", 1],
      ["abc", 0.5],
      ["abc", 0],
    ]);
  });

  it("see the tool calls of the turn and what came of them", async () => {
    const { evals, counted } = setUp();
    const written = [
      anEval("called", { type: "tools_called", params: { tool_names: ["search"] } }),
      anEval("clean", { type: "no_tool_errors", params: {} }),
    ];
    const call = { id: "1", name: "search", arguments: { q: "x" } };
    evals.judge(
      aTurn(
        { written },
        {
          messages: [
            { role: "assistant", turnId: "turn", content: "", toolCalls: [call] },
            { role: "tool", turnId: "turn", toolCallId: "1", toolName: "search", error: "no" },
          ],
        },
      ),
    );
    await evals.idle();
    expect(await counted()).toMatchObject({ "clean abc failed": 1 });
  });

  it("are run on a share of the turns, chosen by their ids", async () => {
    const { evals, scores } = setUp();
    const written = [anEval("one")];
    for (let turn = 0; turn < 2_000; turn += 1) {
      evals.judge(aTurn({ samplePercentage: 25, written }, { turnId: `turn-${turn}` }));
      if (turn % 100 === 99) await evals.idle();
    }
    expect(scores.length).toBeGreaterThan(400);
    expect(scores.length).toBeLessThan(600);
  });

  it("are dropped, and counted so, when too many turns wait", async () => {
    const { evals, scores, counted } = setUp();
    for (let turn = 0; turn < MAX_TURNS_TO_JUDGE + 10; turn += 1) {
      evals.judge(aTurn({ written: [anEval("one")] }, { turnId: `turn-${turn}` }));
    }
    await evals.idle();
    expect(scores).toHaveLength(MAX_TURNS_TO_JUDGE);
    expect(await counted()).toMatchObject({ "one abc dropped": 10 });
  });

  it("are not run on turns of a prompt without any", async () => {
    const { evals, counted } = setUp();
    evals.judge({ ...aTurn({ written: [] }), prompt: aPrompt({ version: "abc" }) });
    await evals.idle();
    expect(await counted()).toEqual({});
  });
});
