/** What a pack brings along for a session, over replicas: its workflow and its agents. */
import { describe, expect, it } from "vitest";
import type { AgentConfig, PromptConfig } from "../../../src/agent-config/agent-config.ts";
import type { ServerFrame } from "../../../src/protocol/frames.ts";
import type { ChatClient } from "../../support/agent/chat-client.ts";
import { startModelServer } from "../../support/agent/model-server.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { aPrompt, aRuntimeConfig } from "../../support/builders/agent-config.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import { startRedis } from "../../support/redis/redis.ts";

const redis = forAllTests(
  () => startRedis(),
  (redis) => redis[Symbol.asyncDispose](),
);
const model = forAllTests(
  () => startModelServer(),
  (model) => model.close(),
);

const { pack: _p, version: _v, semver: _s, ...step } = aPrompt();
const other = (prompt: string): typeof step => ({ ...step, prompt, system: `You are ${prompt}.` });

function startReplica(prompt: Partial<PromptConfig>): Promise<TestAgent> {
  const config: AgentConfig = {
    ...aRuntimeConfig({
      provider: { baseURL: model().url },
      prompt: { ...other("desk"), ...prompt },
    }),
    session: { type: "redis", ttlMs: 3_600_000, storeURLFile: "secrets/session-store/url" },
  };
  const files = {
    "secrets/session-store/url": `${redis().url}\n`,
    "provider/api-key": "sk-test\n",
  };
  return TestAgent.start({ config, files });
}

/** The frames up to the end of the turn. */
async function turnOf(client: ChatClient, content: string) {
  const before = client.frames.length;
  client.say(content);
  const end = (frames: ServerFrame[]) =>
    frames.find(({ type }) => type === "done" || type === "error");
  await expect.poll(() => end(client.frames.slice(before))).toBeDefined();
  return client.frames.slice(before);
}

const sessionOf = (client: ChatClient): string => client.frames[0]?.session_id ?? "";

describe("a session of a pack with a workflow", () => {
  const workflow = {
    entry: "desk",
    states: {
      desk: { prompt: "desk", events: { Money: "billing" } },
      billing: { prompt: "billing", events: {} },
    },
  };

  it("is in its state on every replica, which frames tell", async () => {
    const prompt = { others: { billing: other("billing") }, workflow };
    const toolCalls = [{ name: "workflow__transition", arguments: '{"event":"Money"}' }];
    model().mock.on({ systemMessage: "You are desk." }, { toolCalls });
    model().mock.on({ systemMessage: "You are billing." }, { content: "How much?" });
    const [one, two] = [await startReplica(prompt), await startReplica(prompt)];
    const first = await one.connect();
    const frames = await turnOf(first, "I want my money");
    expect(frames).toMatchObject([
      { type: "tool_call" },
      { type: "tool_result", state: "billing", tool_result: { result: { from: "desk" } } },
      { type: "chunk" },
      { type: "done", content: "How much?", state: "billing" },
    ]);
    const second = await two.connect(`/?session_id=${sessionOf(first)}`);
    expect((await turnOf(second, "All of it")).at(-1)).toMatchObject({
      type: "done",
      content: "How much?",
      state: "billing",
    });
  });
});

describe("a session of a pack with agents", () => {
  it("shows what a member does", async () => {
    const agents = { members: { finder: "Finds" }, asks: { desk: ["finder"] } };
    const skills = [
      { name: "maps", description: "How to read maps", instructions: "North is up." },
    ];
    const prompt = {
      system: "You are chief.",
      others: { finder: other("finder") },
      agents,
      skills,
    };
    const load = { name: "load_skill", arguments: '{"name":"maps"}' };
    const ask = { name: "ask_finder", arguments: '{"task":"Find north."}' };
    model().mock.on(
      { systemMessage: "You are chief.", hasToolResult: false },
      { toolCalls: [ask] },
    );
    model().mock.on({ systemMessage: "You are chief.", hasToolResult: true }, { content: "Up." });
    model().mock.on(
      { systemMessage: "You are finder.", hasToolResult: false },
      { toolCalls: [load] },
    );
    const found = { systemMessage: "You are finder.", hasToolResult: true };
    model().mock.on(found, { content: "North is up." });
    const agent = await startReplica(prompt);
    const client = await agent.connect();
    const frames = (await turnOf(client, "Where is north?")).filter(({ type }) => type !== "chunk");
    const [asked] = frames;
    const id = asked?.type === "tool_call" ? asked.tool_call.id : "";
    expect(frames).toMatchObject([
      { type: "tool_call", tool_call: { name: "ask_finder" } },
      { type: "tool_call", tool_call: { name: "load_skill", parent: id } },
      { type: "tool_result", tool_result: { result: "North is up." } },
      { type: "tool_result", tool_result: { id, result: "North is up." } },
      { type: "done", content: "Up.", finish_reason: "stop" },
    ]);
  });
});
