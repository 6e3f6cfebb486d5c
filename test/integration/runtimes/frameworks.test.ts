/** The examples of frameworks, run as they are with the real frameworks. Their model is a server of a third party. */
import { cp, symlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { AgentConfig, ToolConfig } from "../../../src/agent-config/agent-config.ts";
import { aRuntimeConfig, aTool } from "../../support/builders/agent-config.ts";
import { folderForAllTests, forAllTests, forEachTest } from "../../support/builders/fixtures.ts";
import { startModelServer } from "../../support/agent/model-server.ts";
import { pythonFor } from "../../support/processes/installed.ts";
import { startHttpServer } from "../../support/processes/http-server.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { timeFor } from "../../support/processes/busy-machine.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
/** The first time, the packages are fetched. */
const INSTALL_TIMEOUT_MS = 600_000;
const SECRET = "sk-live-0123456789abcdef";

describe.each(["pydantic-ai", "langgraph"])("the example %s", (example) => {
  vi.setConfig({ testTimeout: 60_000 });
  const copies = folderForAllTests();
  /** The example with an environment of Python beside it, as its reader makes it. */
  const folder = forAllTests(
    async () => {
      const copy = join(copies(), example);
      await cp(join(ROOT, "examples", example), copy, { recursive: true });
      await symlink(await pythonFor(copy, INSTALL_TIMEOUT_MS), join(copy, ".venv"));
      return copy;
    },
    () => {},
    INSTALL_TIMEOUT_MS,
  );
  const model = forEachTest(
    () => startModelServer(),
    (server) => server.close(),
  );

  async function anAgent(tools: ToolConfig[] = []): Promise<TestAgent> {
    const config: Partial<AgentConfig> = aRuntimeConfig({
      provider: { baseURL: `${model().url}/v1` },
      tools,
    });
    const command = [join(folder(), ".venv/bin/python"), join(folder(), "app.py")];
    const agent = await TestAgent.start({
      config,
      files: { "provider/api-key": `${SECRET}\n` },
      env: { PATH: process.env["PATH"], OMNIA_RUNTIME_COMMAND: JSON.stringify(command) },
    });
    await vi.waitFor(async () => expect((await agent.management("/readyz")).status).toBe(200), {
      timeout: 60_000,
      interval: 200,
    });
    return agent;
  }

  it("streams, with the prompt and exactly the history that was sent", async () => {
    model().mock.onMessage(/hello/i, { content: "Good day to you all." });
    model().mock.onMessage(/again/i, { content: "And once more." });
    const agent = await anAgent();
    const client = await agent.connect();
    expect(await client.ask("Hello")).toMatchObject({ content: "Good day to you all." });
    expect(client.frames.filter(({ type }) => type === "chunk").length).toBeGreaterThan(1);
    expect(await client.ask("Again")).toMatchObject({ content: "And once more." });
    const [, second] = model().requests;
    const messages = (second?.body.messages ?? []) as { role: string; content: unknown }[];
    expect(messages.map(({ role, content }) => [role, content])).toEqual([
      ["system", "You are terse."],
      ["user", "Hello"],
      ["assistant", "Good day to you all."],
      ["user", "Again"],
    ]);
    expect(second?.headers.authorization).toBe(`Bearer ${SECRET}`);
    expect(model().requests).toHaveLength(2);
    expect(JSON.stringify(agent.logged)).not.toContain(SECRET);
  });

  it("has a tool of the registry called once, and goes on with its result", async () => {
    const bodies: string[] = [];
    const shop = await startHttpServer(async (request, response) => {
      let body = "";
      for await (const piece of request) body += String(piece);
      bodies.push(body);
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ paid: true }));
    });
    onTestFinished(() => shop.close());
    model().mock.on({ hasToolResult: true }, { content: "It is paid." });
    model().mock.onMessage(/pay/i, { toolCalls: [{ name: "pay", arguments: '{"amount":3}' }] });
    const tool = aTool({
      name: "pay",
      url: `${shop.url}/pay`,
      inputSchema: { type: "object", properties: { amount: { type: "number" } } },
    });
    const agent = await anAgent([tool]);
    const client = await agent.connect();
    expect(await client.ask("Pay three")).toMatchObject({ content: "It is paid." });
    expect(bodies).toEqual(['{"amount":3}']);
    expect(client.frames.filter(({ type }) => type === "tool_call")).toHaveLength(1);
  });

  it("shows the calls of the framework's own tools", async () => {
    model().mock.on({ hasToolResult: true }, { content: "Three words." });
    model().mock.onMessage(/count/i, {
      toolCalls: [{ name: "word_count", arguments: '{"text":"one two three"}' }],
    });
    const agent = await anAgent();
    const client = await agent.connect();
    expect(await client.ask("Count")).toMatchObject({ content: "Three words." });
    expect(client.frames.filter(({ type }) => type.startsWith("tool"))).toMatchObject([
      { tool_call: { name: "word_count", arguments: { text: "one two three" } } },
      { tool_result: { result: "3" } },
    ]);
  });

  it("stops its model within a second of a cancel", async () => {
    model().mock.onMessage(/story/i, { content: "On and on. ".repeat(200) }, { latency: 50 });
    const agent = await anAgent();
    const client = await agent.connect();
    client.say("A story");
    await client.nextOf("chunk");
    const asked = performance.now();
    client.send({ type: "cancel" });
    expect(await model().requests[0]?.ended).toBe("hung-up");
    expect(performance.now() - asked).toBeLessThan(timeFor(1_000));
    expect(await client.nextOf("done")).toMatchObject({ finish_reason: "cancelled" });
  });

  it("hides what its model says of the key", async () => {
    model().mock.onMessage(/./, {
      error: { message: `Incorrect API key provided: ${SECRET}`, type: "invalid_request_error" },
      status: 401,
    });
    const agent = await anAgent();
    const client = await agent.connect();
    client.say("Hello");
    const { error } = await client.nextOf("error");
    expect(error).toMatchObject({ code: "PROVIDER_ERROR" });
    expect(JSON.stringify(client.frames)).not.toContain(SECRET);
    expect(JSON.stringify(agent.logged)).not.toContain(SECRET);
  });
});
