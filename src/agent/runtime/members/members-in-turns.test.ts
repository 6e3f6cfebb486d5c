import { describe, expect, it, onTestFinished } from "vitest";
import { startHttpServer } from "../../../../test/support/processes/http-server.ts";
import { startModelServer, type WireBody } from "../../../../test/support/agent/model-server.ts";
import { RecordingTurn } from "../../../../test/support/agent/recording-turn.ts";
import { aPrompt, aRuntimeConfig, aTool } from "../../../../test/support/builders/agent-config.ts";
import type { PromptConfig, ToolConfig } from "../../../agent-config/agent-config.ts";
import { createLog } from "../../../observability/log.ts";
import { systemClock } from "../../../time/clock.ts";
import { createRuntimeHandler } from "../runtime-handler.ts";

type Call = [name: string, toolArguments: object];

/** A chief who may ask a researcher, who has a tool and may ask a clerk. */
async function aTeam({
  agents = {
    members: { researcher: "Finds things", clerk: "Counts" },
    asks: { chief: ["researcher"] },
  },
  tool = {},
  prompt = {},
}: {
  agents?: PromptConfig["agents"];
  tool?: Partial<ToolConfig>;
  prompt?: Partial<PromptConfig>;
} = {}) {
  const model = await startModelServer();
  onTestFinished(() => model.close());
  const server = await startHttpServer((_request, response) => {
    response.setHeader("content-type", "application/json");
    response.end('{"found":42}');
  });
  onTestFinished(() => server.close());
  const handler = createRuntimeHandler({
    readSecret: () => Promise.resolve("sk-test"),
    clock: systemClock,
    log: createLog({ level: "silent" }),
  });
  const { pack: _p, version: _v, semver: _s, ...step } = aPrompt();
  const tools = [aTool({ url: server.url, name: "search", ...tool })];
  const config = aRuntimeConfig({
    provider: { baseURL: model.url },
    prompt: {
      prompt: "chief",
      system: "You are the chief.",
      agents,
      others: {
        researcher: { ...step, prompt: "researcher", system: "You are the researcher.", tools },
        clerk: { ...step, prompt: "clerk", system: "You are the clerk." },
      },
      ...prompt,
    },
  });
  /** The answers of each prompt, in their order: calls, or a text. */
  function answers(all: Record<string, (string | Call[])[]>): void {
    for (const [system, list] of Object.entries(all)) {
      let at = 0;
      model.mock.on({ systemMessage: `the ${system}` }, () => {
        const next = list[Math.min(at++, list.length - 1)] ?? "?";
        if (typeof next === "string") return { content: next };
        return {
          toolCalls: next.map(([name, toolArguments]) => ({
            name,
            arguments: JSON.stringify(toolArguments),
          })),
        };
      });
    }
  }
  async function run(signal?: AbortSignal) {
    const turn = new RecordingTurn(config, { ...(signal && { signal }) });
    const result = await handler.run(turn);
    return { turn, result, bodies: model.requests.map(({ body }) => body) };
  }
  return { answers, run };
}

const offered = (body: WireBody): string[] =>
  (body.tools ?? []).map((tool: WireBody) => tool.function.name);
const ask: Call = ["ask_researcher", { task: "Find it." }];
const search: Call = ["search", { city: "Oslo" }];

describe("a member of a pack", () => {
  it("is asked with a tool, and answers with its own prompt and tools", async () => {
    const { answers, run } = await aTeam();
    answers({ chief: [[ask], "It is 42."], researcher: [[search], "42."] });
    const { turn, bodies, result } = await run();
    expect(turn.text).toBe("It is 42.");
    expect(bodies.map(offered)).toEqual([
      ["ask_researcher"],
      ["search"],
      ["search"],
      ["ask_researcher"],
    ]);
    expect(bodies[1].messages).toMatchObject([
      { role: "system", content: "You are the researcher." },
      { role: "user", content: "Find it." },
    ]);
    expect(bodies[3].messages.at(-1)).toMatchObject({ role: "tool", content: "42." });
    expect(turn.recorded.map(({ role }) => role)).toEqual(["assistant", "tool", "assistant"]);
    expect(result.finishReason).toBe("stop");
  });

  it("shows its calls as those of the call that asked it", async () => {
    const { answers, run } = await aTeam();
    answers({ chief: [[ask], "It is 42."], researcher: [[search], "42."] });
    const { turn } = await run();
    const calls = turn.events.filter(({ type }) => type !== "chunk");
    const [asked] = calls;
    const id = asked?.type === "tool-call" ? asked.id : "";
    expect(calls).toMatchObject([
      { type: "tool-call", name: "ask_researcher", id },
      {
        type: "tool-call",
        name: "search",
        parent: id,
        id: expect.stringMatching(`^${id}\\.`) as string,
      },
      {
        type: "tool-result",
        id: expect.stringMatching(`^${id}\\.`) as string,
        result: { found: 42 },
      },
      { type: "tool-result", id, result: "42." },
    ]);
  });

  it("adds what it uses to the usage of the turn", async () => {
    const alone = await aTeam();
    alone.answers({ chief: ["It is 42."] });
    const { result: before } = await alone.run();
    const team = await aTeam();
    team.answers({ chief: [[ask], "It is 42."], researcher: ["42."] });
    const { result, turn } = await team.run();
    const total = result.usage?.output_tokens ?? 0;
    expect(total).toBeGreaterThan(before.usage?.output_tokens ?? 0);
    const noted = turn.notes.reduce((sum, note) => sum + (note?.usage?.output_tokens ?? 0), 0);
    expect(noted).toBe(total);
  });

  it("may ask those that its own prompt names, three deep at most", async () => {
    const { answers, run } = await aTeam({
      agents: {
        members: { researcher: "Finds", clerk: "Counts" },
        asks: { chief: ["researcher"], researcher: ["clerk"], clerk: ["researcher"] },
      },
    });
    const askClerk: Call = ["ask_clerk", { task: "Count." }];
    answers({
      chief: [[ask], "Done."],
      researcher: [[askClerk], "Found.", "F"],
      clerk: [[ask], "Counted."],
    });
    const { turn, bodies } = await run();
    expect(turn.text).toBe("Done.");
    const deepest = bodies.filter((body) => offered(body).join() === "search");
    expect(deepest.length).toBeGreaterThan(0);
  });

  it("is asked so many times in a turn, and no more", async () => {
    const { answers, run } = await aTeam({ prompt: { maxToolCallsPerTurn: 100 } });
    answers({ chief: [Array.from({ length: 20 }, () => ask), "Done."], researcher: ["42."] });
    const { turn } = await run();
    const refused = turn.events.filter((event) => event.type === "tool-result" && event.error);
    expect(refused).toHaveLength(4);
  });

  it("makes no call that a person has to approve", async () => {
    const { answers, run } = await aTeam({ tool: { approval: "always" } });
    answers({ chief: [[ask], "No."], researcher: [[search], "I may not."] });
    const { turn } = await run();
    expect(turn.events).toContainEqual(
      expect.objectContaining({ error: expect.stringContaining("approval of a person") as string }),
    );
  });

  it("that fails is a failed call", async () => {
    const { answers, run } = await aTeam();
    answers({ chief: [[ask], "It failed."], researcher: [""] });
    const { turn } = await run();
    expect(turn.text).toBe("It failed.");
    expect(turn.events).toContainEqual(
      expect.objectContaining({ error: expect.stringContaining("did not answer") as string }),
    );
  });

  it("is not asked where the prompt blocks its tool", async () => {
    const { answers, run } = await aTeam({ prompt: { blockedPackTools: ["ask_researcher"] } });
    answers({ chief: ["Alone."] });
    expect((await run()).bodies.map(offered)).toEqual([[]]);
  });
});
