import { describe, expect, it, onTestFinished } from "vitest";
import { startModelServer, type WireBody } from "../../../../test/support/agent/model-server.ts";
import { RecordingTurn } from "../../../../test/support/agent/recording-turn.ts";
import { aRuntimeConfig, aTool } from "../../../../test/support/builders/agent-config.ts";
import type { PromptConfig } from "../../../agent-config/agent-config.ts";
import { createLog } from "../../../observability/log.ts";
import { systemClock } from "../../../time/clock.ts";
import { createRuntimeHandler } from "../runtime-handler.ts";

const skills = [
  { name: "refunds", description: "How to refund", instructions: "Pay it back." },
  { name: "tone", description: "How to speak", instructions: "Speak softly.", preload: true },
];

async function aRun(
  prompt: Partial<PromptConfig>,
  { toolNames = [], callsTool = true }: { toolNames?: string[]; callsTool?: boolean } = {},
) {
  const model = await startModelServer();
  onTestFinished(() => model.close());
  const toolCalls = [{ name: "load_skill", arguments: '{"name":"refunds"}' }];
  model.mock.on({ hasToolResult: false }, callsTool ? { toolCalls } : { content: "Hello." });
  model.mock.on({ hasToolResult: true }, { content: "Refunded." });
  const handler = createRuntimeHandler({
    readSecret: () => Promise.resolve("sk-test"),
    clock: systemClock,
    log: createLog({ level: "silent" }),
  });
  const tools = toolNames.map((name) => aTool({ url: "http://127.0.0.1:1", name }));
  const config = aRuntimeConfig({ provider: { baseURL: model.url }, prompt, tools });
  const turn = new RecordingTurn(config);
  await handler.run(turn);
  return { turn, bodies: model.requests.map(({ body }) => body), handler, config };
}

const offered = (body: WireBody): string[] =>
  (body.tools ?? []).map((tool: WireBody) => tool.function.name);

describe("a turn of a prompt with skills", () => {
  it("loads one when the model asks for it", async () => {
    const { turn, bodies } = await aRun({ skills });
    expect(turn.text).toBe("Refunded.");
    expect(turn.events.filter(({ type }) => type !== "chunk")).toMatchObject([
      { type: "tool-call", name: "load_skill", arguments: { name: "refunds" } },
      { type: "tool-result", result: "Pay it back." },
    ]);
    expect(bodies[1].messages.at(-1)).toMatchObject({ role: "tool", content: "Pay it back." });
  });

  it("has those that are preloaded in its prompt, and no others", async () => {
    const { bodies } = await aRun({ skills });
    const [{ content }] = bodies[0].messages;
    expect(content).toBe("You are terse.\n\n# tone\n\nSpeak softly.");
    expect(bodies[0].tools[0].function.parameters.properties.name.enum).toEqual(["refunds"]);
  });

  it("offers the tool of the pack in place of one with the same name", async () => {
    const { bodies } = await aRun({ skills }, { toolNames: ["load-skill", "weather"] });
    expect(offered(bodies[0])).toEqual(["weather", "load_skill"]);
  });

  it.each<Partial<PromptConfig>>([
    { blockedPackTools: ["load_skill"] },
    { toolChoice: "none" },
    {},
  ])("does not offer it where it may not be called: %j", async (policy) => {
    const all = (policy.blockedPackTools ?? policy.toolChoice) ? skills : skills.slice(1);
    const { bodies } = await aRun({ skills: all, ...policy }, { callsTool: false });
    expect(offered(bodies[0])).toEqual([]);
  });

  it("tells frameworks of the tool before the first turn", async () => {
    const { handler, config } = await aRun({ skills });
    const tools = await handler.tools(config, new AbortController().signal);
    expect(tools.map(({ name }) => name)).toEqual(["load_skill"]);
  });
});
