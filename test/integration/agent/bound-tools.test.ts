/** The registry's tools as MCP, for runtimes that bind tools by themselves: with a real client of MCP, in both of its eras. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { AgentConfig, PromptConfig } from "../../../src/agent-config/agent-config.ts";
import { TURN_LEASE_MS } from "../../../src/agent/sessions/session-store.ts";
import { AgentProcess } from "../../support/agent/agent-process.ts";
import type { ChatClient } from "../../support/agent/chat-client.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { aPrompt, aTool } from "../../support/builders/agent-config.ts";
import { folderForAllTests } from "../../support/builders/fixtures.ts";
import { startHttpServer } from "../../support/processes/http-server.ts";
import { RedisProbe } from "../../support/redis/redis-sessions.ts";
import { startRedis } from "../../support/redis/redis.ts";
import {
  calls,
  resultOf,
  says,
  startScriptedRuntime,
  type Script,
} from "../../support/runtimes/scripted-runtime.ts";

const OSLO = { city: "Oslo" };
const folder = folderForAllTests();

/** A server of a tool that counts its calls, and can hold its answers back. */
async function aToolServer() {
  const received: unknown[] = [];
  const state = { isHeld: false };
  const server = await startHttpServer(async (request, response) => {
    received.push(JSON.parse(await text(request)));
    if (state.isHeld) return;
    response.setHeader("content-type", "application/json").end('{"degrees":21}');
  });
  onTestFinished(() => server.close());
  return { received, state, tools: [aTool({ url: server.url })] };
}

/** An agent whose turns the script answers. */
async function anAgent(script: Script, prompt: Partial<PromptConfig> = {}) {
  const runtime = await startScriptedRuntime(script);
  onTestFinished(() => runtime.close());
  const { received, tools } = await aToolServer();
  const config = configOf(tools, prompt);
  const agent = await TestAgent.start({ config, env: { OMNIA_RUNTIME_URL: runtime.url } });
  return { agent, runtime, received };
}

function configOf(tools: AgentConfig["tools"], prompt: Partial<PromptConfig> = {}) {
  return { handler: "runtime", prompt: { active: aPrompt(prompt) }, tools } as const;
}

async function connectTools(
  url: string | undefined,
  era: "sessions" | "stateless" = "stateless",
): Promise<Client> {
  const mode = era === "stateless" ? { versionNegotiation: { mode: "auto" as const } } : {};
  const client = new Client({ name: "framework", version: "1" }, mode);
  await client.connect(new StreamableHTTPClientTransport(new URL(url ?? "")));
  return client;
}

/** Calls the tool with a client of its own, as adapters do, and answers the text of the result. */
async function callTool(url: string | undefined, toolArguments: object = OSLO): Promise<string> {
  const client = await connectTools(url);
  const result = await client.callTool({
    name: "get-weather",
    arguments: toolArguments as Record<string, unknown>,
  });
  await client.close();
  const [content] = result.content as { text: string }[];
  return `${result.isError === true ? "error: " : ""}${content?.text ?? ""}`;
}

function toolFramesOf(client: ChatClient): unknown[] {
  return client.frames.flatMap((frame): unknown[] => {
    if (frame.type === "tool_call") return [{ called: frame.tool_call.name }];
    if (frame.type === "tool_result") {
      const { result, error } = frame.tool_result;
      return [error === undefined ? { result } : { error }];
    }
    return [];
  });
}

const SHOWN_ONCE = [{ called: "get-weather" }, { result: { degrees: 21 } }];

describe("a runtime that calls a tool through MCP", () => {
  it.each(["sessions", "stateless"] as const)(
    "lists it and calls it, in the era of %s",
    async (era) => {
      const { agent, received } = await anAgent(async function* ({ forwardedProps }) {
        const client = await connectTools(forwardedProps.omnia.toolsMcpUrl, era);
        const { tools } = await client.listTools();
        const result = await client.callTool({ name: "get-weather", arguments: OSLO });
        yield says(JSON.stringify([tools.map(({ name }) => name), result.content]));
      });
      const client = await agent.connect();
      const { content } = await client.ask("How is the weather?");
      expect(JSON.parse(content)).toEqual([
        ["get-weather"],
        [{ type: "text", text: '{"degrees":21}' }],
      ]);
      expect(received).toEqual([OSLO]);
      expect(toolFramesOf(client)).toEqual(SHOWN_ONCE);
      expect(await agent.metric("omnia_agent_tool_calls_total", { tool: "get-weather" })).toBe(1);
    },
  );

  it("has the call in its history, with what was said before it", async () => {
    const { agent, runtime } = await anAgent(async function* ({ forwardedProps, messages }) {
      if (messages.length > 2) return yield says("I remember.");
      yield says("Let me see.");
      await callTool(forwardedProps.omnia.toolsMcpUrl);
      yield says("Warm.");
    });
    const client = await agent.connect();
    expect(await client.ask("How is the weather?")).toMatchObject({
      content: "Let me see.\n\nWarm.",
    });
    await client.ask("And now?");
    expect(runtime.inputs[1]?.messages.slice(1)).toMatchObject([
      { role: "user", content: "How is the weather?" },
      { role: "assistant", content: "Let me see.", toolCalls: [{ type: "function" }] },
      { role: "tool", content: '{"degrees":21}' },
      { role: "assistant", content: "Warm." },
      { role: "user", content: "And now?" },
    ]);
  });

  it.each<[how: string, script: Script]>([
    [
      "with its result",
      async function* ({ forwardedProps }) {
        const result = await callTool(forwardedProps.omnia.toolsMcpUrl);
        yield* calls("get-weather", OSLO, { result });
        yield says("Warm.");
      },
    ],
    [
      "before it is made, with its result after it",
      async function* ({ forwardedProps }) {
        yield* calls("get-weather", OSLO);
        yield resultOf(await callTool(forwardedProps.omnia.toolsMcpUrl));
        yield says("Warm.");
      },
    ],
    [
      "without its result",
      async function* ({ forwardedProps }) {
        yield* calls("get-weather", OSLO);
        await callTool(forwardedProps.omnia.toolsMcpUrl);
        yield says("Warm.");
      },
    ],
    [
      "under another spelling",
      async function* ({ forwardedProps }) {
        const result = await callTool(forwardedProps.omnia.toolsMcpUrl);
        yield* calls("omnia_get_weather", OSLO, { result });
        yield says("Warm.");
      },
    ],
  ])("is not shown or made again when it tells of the call %s", async (_, script) => {
    const { agent, received } = await anAgent(script);
    const client = await agent.connect();
    expect(await client.ask("How is the weather?")).toMatchObject({ content: "Warm." });
    expect(received).toEqual([OSLO]);
    expect(toolFramesOf(client)).toEqual(SHOWN_ONCE);
  });

  it("may tell of the call under the name of a server before it is made", async () => {
    const { agent, received } = await anAgent(async function* ({ forwardedProps }) {
      yield* calls("omnia__get-weather", OSLO);
      await vi.waitFor(() => expect(client.frames.at(-1)?.type).toBe("tool_call"));
      yield resultOf(await callTool(forwardedProps.omnia.toolsMcpUrl));
      yield says("Warm.");
    });
    const client = await agent.connect();
    expect(await client.ask("How is the weather?")).toMatchObject({ content: "Warm." });
    expect(received).toEqual([OSLO]);
    expect(toolFramesOf(client)).toEqual([
      { called: "omnia__get-weather" },
      { result: '{"degrees":21}' },
    ]);
  });

  it("may call it in the middle of a call of its own", async () => {
    const { agent, runtime, received } = await anAgent(async function* (input) {
      const { forwardedProps, messages } = input;
      if (messages.length > 2) return yield says("Again.");
      yield* calls("research", { topic: "Oslo" });
      await vi.waitFor(() => expect(client.frames.at(-1)?.type).toBe("tool_call"));
      await callTool(forwardedProps.omnia.toolsMcpUrl);
      yield resultOf("It is warm there.");
      yield says("Warm.");
    });
    const client = await agent.connect();
    expect(await client.ask("How is the weather?")).toMatchObject({ content: "Warm." });
    expect(received).toEqual([OSLO]);
    expect(toolFramesOf(client)).toEqual([
      { called: "research" },
      ...SHOWN_ONCE,
      { result: "It is warm there." },
    ]);
    await client.ask("And now?");
    const roles = runtime.inputs[1]?.messages.map(({ role }) => role) ?? [];
    expect(roles.join(" ")).toBe("system user assistant tool assistant user");
  });

  it("makes calls that come at once one after the other", async () => {
    const { agent, received } = await anAgent(async function* ({ forwardedProps }) {
      const { toolsMcpUrl } = forwardedProps.omnia;
      const cities = ["Oslo", "Rome", "Bonn"];
      const results = await Promise.all(cities.map((city) => callTool(toolsMcpUrl, { city })));
      yield says(results.join(" "));
    });
    const client = await agent.connect();
    await client.ask("How is the weather?");
    expect(received).toHaveLength(3);
    expect(toolFramesOf(client)).toEqual([...SHOWN_ONCE, ...SHOWN_ONCE, ...SHOWN_ONCE]);
  });

  it("gets an error for what it may not call", async () => {
    const { agent, received } = await anAgent(
      async function* ({ forwardedProps }) {
        const { toolsMcpUrl } = forwardedProps.omnia;
        const answers = [await callTool(toolsMcpUrl, { town: "Oslo" })];
        for (const city of ["Oslo", "Rome"]) answers.push(await callTool(toolsMcpUrl, { city }));
        yield says(answers.join("\n"));
      },
      { maxToolCallsPerTurn: 2 },
    );
    const client = await agent.connect();
    const { content } = await client.ask("How is the weather?");
    const answers = content.split("\n");
    expect(answers[0]).toMatch(/^error: the arguments do not match the tool's schema/);
    expect(answers[1]).toBe('{"degrees":21}');
    expect(answers[2]).toBe("error: not called: a turn has at most 2 tool calls");
    expect(received).toEqual([OSLO]);
  });

  it("cannot make a call that a person has to approve", async () => {
    const { received, tools } = await aToolServer();
    const runtime = await startScriptedRuntime(async function* ({ forwardedProps }) {
      yield says(await callTool(forwardedProps.omnia.toolsMcpUrl));
    });
    onTestFinished(() => runtime.close());
    const asked = tools.map((tool) => ({ ...tool, approval: "always" as const }));
    const env = { OMNIA_RUNTIME_URL: runtime.url };
    const agent = await TestAgent.start({ config: configOf(asked), env });
    const client = await agent.connect();
    expect(await client.ask("How is the weather?")).toMatchObject({
      content: expect.stringMatching(/^error: not called: the call needs the approval/) as string,
    });
    expect(received).toEqual([]);
    expect(toolFramesOf(client)).toEqual([]);
  });

  it("finds nothing at the address of a step that has ended", async () => {
    const { agent, runtime } = await anAgent(async function* () {
      yield says("Hello.");
    });
    await (await agent.connect()).ask("hello");
    const url = runtime.inputs[0]?.forwardedProps.omnia.toolsMcpUrl ?? "";
    expect((await fetch(url, { method: "POST", body: "{}" })).status).toBe(404);
  });
});

describe("the address that stays the same", () => {
  /** A module that calls the tool at the address of its environment. */
  async function aModule(): Promise<string> {
    const file = join(folder(), "runtime.mjs");
    await writeFile(
      file,
      `const url = process.env.OMNIA_TOOLS_MCP_URL;
      async function ask(method, params) {
        const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
        const response = await fetch(url, { method: "POST", body, headers: { "content-type": "application/json" } });
        return (await response.json()).result;
      }
      const { tools } = await ask("tools/list", {});
      export async function* run({ messages }) {
        const { content: city } = messages.at(-1);
        if (city === "wait") yield "Waiting. ";
        while (city === "wait" && !globalThis.isFree) await new Promise((resolve) => setTimeout(resolve, 10));
        const { content } = await ask("tools/call", { name: tools[0].name, arguments: { city } });
        globalThis.isFree ||= city === "Rome";
        yield content[0].text;
      }`,
    );
    return file;
  }

  it("is in the environment of a runtime that the agent starts, and takes calls of a single turn", async () => {
    const { received, tools } = await aToolServer();
    const agent = await TestAgent.start({
      config: configOf(tools),
      env: { ...process.env, OMNIA_RUNTIME: await aModule() },
    });
    await vi.waitFor(async () => expect((await agent.management("/readyz")).status).toBe(200), {
      timeout: 60_000,
    });
    const client = await agent.connect();
    expect(await client.ask("Oslo")).toMatchObject({ content: '{"degrees":21}' });
    expect(toolFramesOf(client)).toEqual(SHOWN_ONCE);
    expect(received).toEqual([OSLO]);

    // While two turns run nobody can tell whose call it is.
    const waiting = await agent.connect();
    waiting.say("wait");
    await waiting.nextOf("chunk");
    const other = await agent.connect();
    const { content } = await other.ask("Rome");
    expect(content).toMatch(/^not called: several turns are running; use the address of/);
    await waiting.nextOf("done");
  });
});

describe("the endpoint", () => {
  it("answers nobody who does not know the secret, no page of a browser, and no other method", async () => {
    const statuses: number[] = [];
    const { agent } = await anAgent(async function* ({ forwardedProps }) {
      const url = forwardedProps.omnia.toolsMcpUrl ?? "";
      const post = async (at: string, init: RequestInit = {}): Promise<void> => {
        const response = await fetch(at, { method: "POST", body: "{}", ...init });
        statuses.push(response.status);
      };
      await post(new URL("/mcp", url).href);
      await post(new URL("/mcp/guessed", url).href);
      await post(url, { headers: { origin: "http://localhost" } });
      await post(url, { method: "DELETE", body: null });
      await post(url);
      await post(url, { body: "x".repeat(3 * 1024 * 1024) });
      yield says("Done.");
    });
    await (await agent.connect()).ask("go");
    expect(statuses).toEqual([404, 404, 404, 405, 400, 413]);
  });

  it("is not offered to a runtime on another machine", async () => {
    const runtime = await startScriptedRuntime(async function* () {
      yield says("Hello.");
    });
    onTestFinished(() => runtime.close());
    const url = `http://example.invalid:${runtime.port}`;
    const agent = await TestAgent.start({ config: configOf([]), env: { OMNIA_RUNTIME_URL: url } });
    const client = await agent.connect();
    client.say("hello");
    await client.nextOf("error");
    expect(runtime.inputs).toEqual([]);
  });
});

describe("a replica that is killed during such a call", () => {
  it("leaves a call in doubt, which ends the turn and is not made again", async () => {
    await using redis = await startRedis({ appendOnly: true });
    const probe = new RedisProbe(redis.url);
    onTestFinished(() => probe.close());
    const runtime = await startScriptedRuntime(async function* ({ forwardedProps }) {
      await callTool(forwardedProps.omnia.toolsMcpUrl).catch(() => {});
      yield says("Warm.");
    });
    onTestFinished(() => runtime.close());
    const { received, state, tools } = await aToolServer();
    state.isHeld = true;
    const storeURLFile = "secrets/session-store/url";
    const session = { type: "redis", ttlMs: 3_600_000, storeURLFile } as const;
    const shared = {
      config: { ...configOf(tools), session },
      files: { [storeURLFile]: redis.url },
      env: { OMNIA_RUNTIME_URL: runtime.url },
    };
    const [one, two] = [await AgentProcess.start(shared), await TestAgent.start(shared)];
    const first = await one.connect();
    first.say("How is the weather?");
    const { session_id } = await first.nextOf("tool_call");
    await vi.waitFor(() => expect(received).toEqual([OSLO]));
    await one.kill();
    await probe.passTime(session_id, TURN_LEASE_MS);
    const second = await two.connect();
    second.send({ type: "resume", session_id, after: 1 });
    expect(await second.nextOf("error")).toMatchObject({ error: { code: "TOOL_ERROR" } });
    expect(received).toEqual([OSLO]);
  });
});
