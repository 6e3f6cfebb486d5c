/** The examples of frameworks in JavaScript, run as they are with the real frameworks. Their model is a server of a third party. */
import { cp, readFile, symlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { ToolConfig } from "../../../src/agent-config/agent-config.ts";
import { startModelServer } from "../../support/agent/model-server.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { aRuntimeConfig, aTool } from "../../support/builders/agent-config.ts";
import { folderForAllTests, forAllTests, forEachTest } from "../../support/builders/fixtures.ts";
import { nodePackagesFor } from "../../support/processes/installed.ts";
import { startHttpServer } from "../../support/processes/http-server.ts";
import { timeFor } from "../../support/processes/busy-machine.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
/** The first time, the packages are fetched. */
const INSTALL_TIMEOUT_MS = 600_000;
const SECRET = "sk-live-0123456789abcdef";

describe.each(["langchain-js", "mastra"])("the example %s", (example) => {
  vi.setConfig({ testTimeout: 60_000 });
  const copies = folderForAllTests();
  /** The example with its packages beside it, as its reader installs them. */
  const folder = forAllTests(
    async () => {
      const copy = join(copies(), example);
      await cp(join(ROOT, "examples", example), copy, { recursive: true });
      const locked = join(ROOT, "test/support/runtimes", example);
      await symlink(
        join(await nodePackagesFor(locked, INSTALL_TIMEOUT_MS), "node_modules"),
        join(copy, "node_modules"),
      );
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
    const agent = await TestAgent.start({
      config: aRuntimeConfig({ provider: { baseURL: `${model().url}/v1` }, tools }),
      files: { "provider/api-key": `${SECRET}\n` },
      env: { PATH: process.env["PATH"], OMNIA_RUNTIME: join(folder(), "runtime.mjs") },
    });
    await vi.waitFor(async () => expect((await agent.management("/readyz")).status).toBe(200), {
      timeout: 60_000,
      interval: 200,
    });
    return agent;
  }

  it("names the packages that it is tried with", async () => {
    const names = await readFile(join(ROOT, "examples", example, "packages.txt"), "utf8");
    const lock = join(ROOT, "test/support/runtimes", example, "package.json");
    const { dependencies } = JSON.parse(await readFile(lock, "utf8")) as {
      dependencies: Record<string, string>;
    };
    expect(names.trim().split("\n")).toEqual(
      Object.entries(dependencies).map(([name, version]) => `${name}@${version}`),
    );
  });

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
    expect(messages.map(({ role, content }) => [role, textOf(content)])).toEqual([
      ["system", "You are terse."],
      ["user", "Hello"],
      ["assistant", "Good day to you all."],
      ["user", "Again"],
    ]);
    expect(second?.headers.authorization).toBe(`Bearer ${SECRET}`);
    expect(model().requests).toHaveLength(2);
  });

  it("calls a tool of the registry once, through its own client of MCP, and shows it", async () => {
    const bodies: string[] = [];
    const shop = await startHttpServer(async (request, response) => {
      let body = "";
      for await (const piece of request) body += String(piece);
      bodies.push(body);
      response.setHeader("content-type", "application/json").end('{"paid":true}');
    });
    onTestFinished(() => shop.close());
    const tool = aTool({
      name: "pay",
      url: `${shop.url}/pay`,
      inputSchema: { type: "object", properties: { amount: { type: "number" } } },
    });
    const agent = await anAgent([tool]);
    model().mock.on({ hasToolResult: true }, { content: "It is paid." });
    // Frameworks put the name of the server before that of the tool.
    const name = example === "mastra" ? "omnia_pay" : "pay";
    model().mock.onMessage(/pay/i, { toolCalls: [{ name, arguments: '{"amount":3}' }] });
    const client = await agent.connect();
    expect(await client.ask("Pay three")).toMatchObject({ content: "It is paid." });
    expect(bodies).toEqual(['{"amount":3}']);
    expect(client.frames.filter(({ type }) => type.startsWith("tool"))).toMatchObject([
      { tool_call: { name: "pay", arguments: { amount: 3 } } },
      { tool_result: { result: { paid: true } } },
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

/** Packages write a message's text as it is, or as a list of parts. */
function textOf(content: unknown): unknown {
  if (!Array.isArray(content)) return content;
  return (content as { text?: string }[]).map(({ text = "" }) => text).join("");
}
