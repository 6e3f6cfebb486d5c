import { describe, expect, it, onTestFinished } from "vitest";
import { startModelServer, type WireBody } from "../../../../test/support/agent/model-server.ts";
import {
  RecordingTurn,
  type RecordingTurnOptions,
} from "../../../../test/support/agent/recording-turn.ts";
import { aPrompt, aRuntimeConfig, aTool } from "../../../../test/support/builders/agent-config.ts";
import type { PromptConfig } from "../../../agent-config/agent-config.ts";
import { createLog } from "../../../observability/log.ts";
import { systemClock } from "../../../time/clock.ts";
import type { HistoryMessage } from "../../sessions/history-message.ts";
import { createRuntimeHandler } from "../runtime-handler.ts";

const url = "http://127.0.0.1:1";

/** A desk that sends people to billing, which sends them home. */
function aDesk(prompt: Partial<PromptConfig> = {}): Partial<PromptConfig> {
  const {
    pack: _p,
    version: _v,
    semver: _s,
    ...billing
  } = aPrompt({
    prompt: "billing",
    system: "You are billing.",
    parameters: { temperature: 0.2 },
    tools: [aTool({ url, name: "refund" })],
  });
  return {
    system: "You are the desk.",
    prompt: "desk",
    others: {
      billing,
      closing: { ...billing, prompt: "closing", system: "Say goodbye.", tools: [] },
    },
    workflow: {
      entry: "desk",
      states: {
        desk: { prompt: "desk", events: { Money: "billing" } },
        billing: {
          prompt: "billing",
          description: "Money matters",
          events: { Paid: "closing", Wrong: "desk" },
          maxVisits: 1,
        },
        closing: { prompt: "closing", events: {} },
      },
    },
    ...prompt,
  };
}

async function aSession(prompt = aDesk()) {
  const model = await startModelServer();
  onTestFinished(() => model.close());
  const handler = createRuntimeHandler({
    readSecret: () => Promise.resolve("sk-test"),
    clock: systemClock,
    log: createLog({ level: "silent" }),
  });
  const tools = [aTool({ url, name: "look-up" })];
  const config = aRuntimeConfig({ provider: { baseURL: model.url }, prompt, tools });
  let history: HistoryMessage[] = [];

  /** Each request of a state gets the next of its answers: an event to have, or a text. */
  function answers(...all: (string | string[])[]): void {
    let at = 0;
    model.mock.on({ predicate: () => true }, () => {
      const next = all[at++] ?? "?";
      if (typeof next === "string") return { content: next };
      return {
        toolCalls: next.map((event) => ({
          name: "workflow__transition",
          arguments: JSON.stringify({ event }),
        })),
      };
    });
  }
  async function say(options: RecordingTurnOptions = {}) {
    const turn = new RecordingTurn(config, { history, ...options });
    const before = model.requests.length;
    await handler.run(turn);
    history = turn.historyAfter;
    return { turn, bodies: model.requests.slice(before).map(({ body }) => body) };
  }
  return { answers, say, handler, config, history: () => history };
}

const systemOf = (body: WireBody): string => body.messages[0].content;
const offered = (body: WireBody): string[] =>
  (body.tools ?? []).map((tool: WireBody) => tool.function.name);

describe("a session with a workflow", () => {
  it("begins at the entry, and moves when the model calls the transition", async () => {
    const { answers, say } = await aSession();
    answers(["Money"], "How much?");
    const { turn, bodies } = await say();
    expect(bodies.map(systemOf)).toEqual(["You are the desk.", "You are billing."]);
    expect(bodies.map(offered)).toEqual([
      ["look-up", "workflow__transition"],
      ["refund", "workflow__transition"],
    ]);
    expect(bodies[1]).toMatchObject({ temperature: 0.2 });
    expect(turn.events).toContainEqual({
      type: "tool-result",
      id: expect.any(String),
      result: { event: "Money", from: "desk", state: "billing", description: "Money matters" },
      state: "billing",
    });
    expect(turn.state).toBe("billing");
  });

  it("goes on in its state with the next message, on any replica", async () => {
    const { answers, say } = await aSession();
    answers(["Money"], "How much?", "Refunded.");
    await say();
    const { turn, bodies } = await say();
    expect(bodies.map(systemOf)).toEqual(["You are billing."]);
    expect(turn.state).toBe("billing");
  });

  it("keeps its state when all but the newest turn is forgotten", async () => {
    const { answers, say, history } = await aSession();
    answers(["Money"], "How much?", "Refunded.", "Yes.");
    await say();
    const { turn } = await say();
    const newest = history().filter(({ turnId }) => turnId === turn.id);
    expect((await say({ history: newest })).turn.state).toBe("billing");
  });

  it("comes to an end in a state without events, and still answers", async () => {
    const { answers, say } = await aSession();
    answers(["Money"], ["Paid"], "Goodbye.", "Goodbye again.");
    const first = await say();
    expect(first.turn.text).toBe("Goodbye.");
    // Without any tool the model would not be told what it has called in this turn.
    expect(first.bodies[2]).toMatchObject({ tool_choice: "none" });
    expect(first.bodies[2].messages.at(-1)).toMatchObject({ role: "tool" });
    const second = await say();
    expect(second.turn.text).toBe("Goodbye again.");
    expect(second.bodies.map(offered)).toEqual([[]]);
    expect(second.turn.state).toBe("closing");
  });

  it("refuses an event that the state does not have, or that leads where it may not go again", async () => {
    const { answers, say } = await aSession();
    answers(["Paid"], ["Money"], ["Wrong"], ["Money"], "So be it.");
    const { turn } = await say();
    const errors = turn.events.flatMap((event) =>
      event.type === "tool-result" && event.error !== undefined ? [event.error] : [],
    );
    expect(errors[0]).toContain("event");
    expect(errors[1]).toBe('the state "billing" was visited 1 times, and may be no more');
    expect(turn.state).toBe("desk");
  });

  it("makes one transition of those that an answer has", async () => {
    const { answers, say } = await aSession();
    answers(["Money", "Money"], "How much?");
    const { turn } = await say();
    const results = turn.events.filter(({ type }) => type === "tool-result");
    expect(results).toMatchObject([
      { state: "billing" },
      { error: 'not made: the workflow has moved to "billing" already' },
    ]);
  });

  it("does not offer the transition when the budget is used up", async () => {
    const { workflow, ...desk } = aDesk();
    if (workflow === undefined) throw new Error("there is no workflow");
    const { answers, say } = await aSession({
      ...desk,
      workflow: { ...workflow, budget: { maxTotalVisits: 2 } },
    });
    answers(["Money"], "How much?");
    const { bodies } = await say();
    expect(bodies.map(offered)).toEqual([["look-up", "workflow__transition"], ["refund"]]);
  });

  it("counts rounds over all states of a turn", async () => {
    const { answers, say } = await aSession(aDesk({ maxRounds: 1 }));
    answers(["Money"], ["Wrong"], "Enough.");
    const { turn } = await say();
    expect(turn.events.filter(({ type }) => type === "tool-result")).toHaveLength(2);
    expect(turn.state).toBe("desk");
  });

  it("goes on in the state of a replica that died", async () => {
    const { answers, say } = await aSession();
    answers(["Money"], "How much?");
    const { turn } = await say();
    const [message, outcome] = turn.recorded;
    if (message?.role !== "assistant" || outcome?.role !== "tool") throw new Error("no call");
    const [call] = message.toolCalls ?? [];
    if (call === undefined) throw new Error("no call");
    const { answers: again, say: onOther } = await aSession();
    again("How much?");
    const { id, name } = call;
    const calls = [{ id, name, input: '{"event":"Money"}', isStarted: true, outcome }];
    const steps = [{ message, calls, finishReason: undefined }];
    const earlier = { steps, usage: undefined, said: "", unfinished: "" };
    const { turn: taken, bodies } = await onOther({ earlier });
    expect(bodies.map(systemOf)).toEqual(["You are billing."]);
    expect(taken.state).toBe("billing");
  });

  it.each([
    ["none", []],
    ["skills", ["load_skill"]],
    [undefined, ["load_skill"]],
  ])("has the skills of its state (%s)", async (folder, expected) => {
    const skill = { name: "a", description: "b", instructions: "c", path: "skills.a" };
    const states = { desk: { prompt: "desk", events: {}, ...(folder && { skills: folder }) } };
    const { answers, say } = await aSession(
      aDesk({ skills: [skill], workflow: { entry: "desk", states } }),
    );
    answers("Hello.");
    const { bodies } = await say();
    expect(bodies.map(offered)).toEqual([["look-up", ...expected]]);
  });

  it("tells frameworks of the tools of a new session", async () => {
    const { handler, config } = await aSession();
    const tools = await handler.tools(config, new AbortController().signal);
    expect(tools.map(({ name }) => name)).toEqual(["look-up", "workflow__transition"]);
  });
});
