/** Agents on a real model server, llama.cpp's own, by each of the protocols that it speaks. */
import { json } from "node:stream/consumers";
import { describe, expect, it, vi } from "vitest";
import type { ProviderConfig, PromptConfig } from "../../../src/agent-config/agent-config.ts";
import type { ServerFrame } from "../../../src/protocol/frames.ts";
import { aRuntimeConfig, aTool } from "../../support/builders/agent-config.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import type { ChatClient } from "../../support/agent/chat-client.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { startLlamaServer, type LlamaServer } from "../../support/model-server/llama-server.ts";
import { startHttpServer } from "../../support/processes/http-server.ts";

const llama = forAllTests(startLlamaServer, (server) => server[Symbol.asyncDispose]());
/** What a model makes of a prompt takes longer with its length, so the limit is low where it is to be reached. */
const forgetful = forAllTests(
  () => startLlamaServer({ contextTokens: 1_024 }),
  (server) => server[Symbol.asyncDispose](),
);
const orders = forAllTests(
  () =>
    startHttpServer(async (request, response) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ status: "on its way", asked: await json(request) }));
    }),
  (server) => server.close(),
);

const protocols: { protocol: string; provider: Pick<ProviderConfig, "name" | "api"> }[] = [
  { protocol: "chat completions", provider: { name: "openai", api: "chat" } },
  { protocol: "Responses", provider: { name: "openai", api: "responses" } },
  { protocol: "Anthropic messages", provider: { name: "anthropic" } },
];

type DoneFrame = Extract<ServerFrame, { type: "done" }>;

interface AgentParts {
  provider: Partial<ProviderConfig>;
  prompt?: Partial<PromptConfig>;
  hasTool?: boolean;
  server?: LlamaServer;
  key?: string;
}

function startAgent({ provider, prompt, hasTool, server = llama(), key = server.key }: AgentParts) {
  const tool = aTool({
    name: "order-status",
    url: orders().url,
    description: "Says where an order is",
    inputSchema: {
      type: "object",
      properties: { order_id: { type: "string" } },
      required: ["order_id"],
    },
  });
  return TestAgent.start({
    config: aRuntimeConfig({
      provider: { model: "tiny", baseURL: server.url, ...provider },
      prompt: { system: "", ...prompt },
      tools: hasTool === true ? [tool] : [],
    }),
    files: { "provider/api-key": `${key}\n` },
  });
}

const SHORT = "Hello from a tiny model.";

/** Some of the server's protocols keep the blank before the first word. */
async function ask(client: ChatClient, question: string): Promise<DoneFrame> {
  client.say(question);
  for (;;) {
    const frame = await client.next();
    if (frame.type === "error") throw new Error(JSON.stringify(frame.error));
    if (frame.type === "done") return { ...frame, content: frame.content.trimStart() };
  }
}

function textOf(frames: readonly ServerFrame[]): string {
  return frames.map((frame) => (frame.type === "chunk" ? frame.content : "")).join("");
}

describe.each(protocols)("an agent on a real model server, by $protocol,", ({ provider }) => {
  it("gives the answer in chunks, with what it cost, in one turn after the other", async () => {
    const agent = await startAgent({ provider });
    const client = await agent.connect();
    for (const question of ["hi", "and again"]) {
      const before = client.frames.length;
      const done = await ask(client, question);
      expect(done).toMatchObject({ content: SHORT, finish_reason: "stop" });
      expect(done.usage?.output_tokens).toBe(7);
      expect(done.usage?.input_tokens).toBeGreaterThan(0);
      expect(textOf(client.frames.slice(before)).trimStart()).toBe(SHORT);
    }
  });

  it("streams an answer that has no end, until the turn is cancelled", async () => {
    const agent = await startAgent({ provider });
    const client = await agent.connect();
    client.say("count");
    for (let chunks = 0; chunks < 5; chunks += 1) await client.nextOf("chunk");
    client.send({ type: "cancel" });
    const { content } = await client.nextOf("done");
    expect(content).toMatch(/^ ?one two three/);
    expect(textOf(client.frames)).toBe(content);
  });

  it("passes on characters that the model makes of several tokens", async () => {
    const agent = await startAgent({ provider });
    const client = await agent.connect();
    expect((await ask(client, "accents")).content).toBe("café👍 ok.");
  });

  it("keeps the model's thoughts out of the answer, and goes on after them", async () => {
    const agent = await startAgent({ provider });
    const client = await agent.connect();
    expect((await ask(client, "think")).content).toBe("Thought.");
    expect((await ask(client, "hi")).content).toBe(SHORT);
  });

  it("ends an answer at the limit of tokens with `length`", async () => {
    const agent = await startAgent({ provider: { ...provider, parameters: { maxTokens: 5 } } });
    const client = await agent.connect();
    const done = await ask(client, "count");
    expect(done).toMatchObject({ content: "one two three four five", finish_reason: "length" });
  });

  it("runs the tool that the model calls, and the model answers with its result", async () => {
    const agent = await startAgent({ provider, hasTool: true });
    const client = await agent.connect();
    for (const question of ["Where is my order?", "And where is my other order?"]) {
      client.say(question);
      const { tool_call } = await client.nextOf("tool_call");
      expect(tool_call).toMatchObject({
        name: "order-status",
        arguments: { order_id: "A-1042" },
      });
      const { tool_result } = await client.nextOf("tool_result");
      expect(tool_result).toEqual({
        id: tool_call.id,
        result: { status: "on its way", asked: { order_id: "A-1042" } },
      });
      const { content, finish_reason } = await client.nextOf("done");
      expect(content).toContain("Your parcel is on its way.");
      expect(finish_reason).toBe("stop");
    }
  });

  it("gets a call from a model that has to call a tool", async () => {
    const agent = await startAgent({ provider, hasTool: true, prompt: { toolChoice: "required" } });
    const client = await agent.connect();
    client.say("hi");
    expect((await client.nextOf("tool_call")).tool_call.name).toBe("order-status");
    expect((await client.nextOf("done")).content).toContain("Your parcel is on its way.");
  });

  it("lets go of the server when the turn is cancelled", async () => {
    const agent = await startAgent({ provider });
    const client = await agent.connect();
    client.say("count");
    await client.nextOf("chunk");
    client.send({ type: "cancel" });
    const done = await client.nextOf("done");
    expect(done).toMatchObject({ finish_reason: "cancelled" });
    expect(done.content).toMatch(/^ ?one/);
    await vi.waitFor(async () => expect(await llama().busySlots()).toBe(0), 10_000);
    expect((await ask(client, "hi")).content).toBe(SHORT);
  });

  it("says that the key is wrong, and takes the right one without a restart", async () => {
    const agent = await startAgent({ provider, key: "wrong" });
    const client = await agent.connect();
    client.say("hi");
    expect((await client.nextOf("error")).error).toMatchObject({
      code: "PROVIDER_ERROR",
      details: { reason: "key_refused", status: 401 },
    });
    await agent.writeFile("provider/api-key", `${llama().key}\n`);
    const answer = await vi.waitUntil(async () => {
      client.say("hi");
      for (;;) {
        const frame = await client.next();
        if (frame.type === "error") return undefined;
        if (frame.type === "done") return frame.content;
      }
    }, 20_000);
    expect(answer).toBe(SHORT);
  });

  it("leaves older turns out when the conversation is longer than the model takes", async () => {
    const agent = await startAgent({ provider, server: forgetful() });
    const client = await agent.connect();
    for (let turn = 1; turn <= 6; turn += 1) {
      expect((await ask(client, `${turn}: ${"x".repeat(400)}`)).content).toBe(SHORT);
    }
    const warnings = agent.logged.filter(({ reason }) => reason === "context_too_long");
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({
      level: "warn",
      contextTokens: 1_024,
      messages: { leftOut: 2 },
    });
  });

  it("says that one message is too long, and goes on with the next one", async () => {
    const agent = await startAgent({ provider, server: forgetful() });
    const client = await agent.connect();
    expect((await ask(client, "hi")).content).toBe(SHORT);
    client.say("x".repeat(2_000));
    const { error } = await client.nextOf("error");
    expect(error).toMatchObject({
      code: "PROVIDER_ERROR",
      details: { reason: "context_too_long", status: 400 },
    });
    expect(error.message).toContain("context length (HTTP 400)");
    for (const question of ["hi", "and again"]) {
      expect((await ask(client, question)).content).toBe(SHORT);
    }
  });

  it("answers as many sessions at once as the server can", async () => {
    const agent = await startAgent({ provider });
    const clients = await Promise.all(Array.from({ length: 8 }, () => agent.connect()));
    const answers = await Promise.all(clients.map((client) => ask(client, "hi")));
    expect(answers.map(({ content }) => content)).toEqual(Array(8).fill(SHORT));
  });

  it("says that the answer broke off when the server dies, and goes on when it is back", async () => {
    await using server = await startLlamaServer();
    const agent = await startAgent({ provider, server });
    const client = await agent.connect();
    client.say("count");
    await client.nextOf("chunk");
    await server.kill();
    expect((await client.nextOf("error")).error).toMatchObject({
      code: "PROVIDER_ERROR",
      details: { reason: "interrupted" },
    });
    client.say("hi");
    expect((await client.nextOf("error")).error).toMatchObject({
      details: { reason: "unreachable" },
    });
    await server.start();
    expect((await ask(client, "hi")).content).toBe(SHORT);
  });
});
