/** Turns that a runtime in another framework answers, at the address of OMNIA_RUNTIME_URL. */
import { onTestFinished, describe, expect, it } from "vitest";
import type { AgentConfig } from "../../../src/agent-config/agent-config.ts";
import { anAgentConfig, aPrompt, aTool } from "../../support/builders/agent-config.ts";
import { startHttpServer } from "../../support/processes/http-server.ts";
import { startAgUiServer, type Run } from "../../support/runtimes/ag-ui-server.ts";
import { TestAgent, type TestAgentOptions } from "../../support/agent/test-agent.ts";
import { timeFor } from "../../support/processes/busy-machine.ts";

const SECRET = "sk-live-0123456789abcdef";

async function aRuntime(answer: (run: Run) => void | Promise<void>) {
  const runtime = await startAgUiServer(answer);
  onTestFinished(() => runtime.close());
  return runtime;
}

function anAgent(
  url: string,
  config: Partial<AgentConfig> = {},
  options: TestAgentOptions = {},
): Promise<TestAgent> {
  return TestAgent.start({
    config: anAgentConfig({ handler: "runtime", prompt: { active: aPrompt() }, ...config }),
    env: { OMNIA_RUNTIME_URL: url },
    ...options,
  });
}

/** A tool of the registry, and the bodies of its calls. */
async function aShop() {
  const bodies: string[] = [];
  const server = await startHttpServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += String(piece);
    bodies.push(body);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ paid: true }));
  });
  onTestFinished(() => server.close());
  const tool = aTool({ name: "pay", url: `${server.url}/pay`, inputSchema: { type: "object" } });
  return { tool, bodies };
}

describe("a turn that a runtime answers", () => {
  it("streams its text, and tells it the prompt and exactly the history of the session", async () => {
    const runtime = await aRuntime((run) => {
      run.say("Good ", "day.");
      run.finish({ usage: [{ inputTokens: 11, outputTokens: 2 }, { inputTokens: 1 }] });
    });
    const agent = await anAgent(runtime.url);
    const client = await agent.connect();
    const first = await client.ask("Hello");
    expect(first).toMatchObject({
      content: "Good day.",
      finish_reason: "stop",
      usage: { input_tokens: 12, output_tokens: 2 },
    });
    await client.ask("Again");
    const [one, two] = runtime.inputs;
    const plain = (input: typeof one) =>
      input.messages.map(({ role, content }: { role: string; content: string }) => [role, content]);
    expect(plain(one)).toEqual([
      ["system", "You are terse."],
      ["user", "Hello"],
    ]);
    expect(plain(two)).toEqual([
      ["system", "You are terse."],
      ["user", "Hello"],
      ["assistant", "Good day."],
      ["user", "Again"],
    ]);
    expect(one.forwardedProps).toEqual({
      omnia: {
        prompt: "You are terse.",
        toolChoice: "auto",
        parameters: {},
        toolsMcpUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/mcp\//) as string,
      },
    });
    expect(two.threadId).not.toBe(one.threadId);
    expect(
      await agent.metric("omnia_agent_provider_tokens_total", {
        provider: "runtime",
        direction: "input",
      }),
    ).toBe(24);
  });

  it("runs a tool of the registry once, and asks again with its result", async () => {
    const { tool, bodies } = await aShop();
    const runtime = await aRuntime((run) => {
      if (run.number === 0) run.call("call-a", "pay", { amount: 3 });
      else run.say("Paid.");
      run.finish();
    });
    const agent = await anAgent(runtime.url, { tools: [tool] });
    const client = await agent.connect();
    expect(await client.ask("Pay three")).toMatchObject({ content: "Paid." });
    expect(bodies).toEqual(['{"amount":3}']);
    expect(runtime.inputs[0].tools).toMatchObject([
      { name: "pay", parameters: { type: "object" } },
    ]);
    expect(runtime.inputs[1].messages.slice(2)).toMatchObject([
      {
        role: "assistant",
        toolCalls: [{ id: "call-a", function: { name: "pay", arguments: '{"amount":3}' } }],
      },
      { role: "tool", toolCallId: "call-a", content: '{"paid":true}' },
    ]);
    const frames = client.frames.filter(({ type }) => type.startsWith("tool"));
    expect(frames).toMatchObject([
      { type: "tool_call", tool_call: { id: "call-a", name: "pay", arguments: { amount: 3 } } },
      { type: "tool_result", tool_result: { id: "call-a", result: { paid: true } } },
    ]);
    expect(await agent.metric("omnia_agent_tool_calls_total", { tool: "pay" })).toBe(1);
  });

  it("shows the calls that the framework makes itself, and tells them in the next turn", async () => {
    const runtime = await aRuntime((run) => {
      if (run.number === 0) {
        run.say("Looking.");
        run.call("own-1", "search", { q: "omnia" });
        run.call("own-2", "search", { q: "agents" });
        run.send(
          { type: "TOOL_CALL_RESULT", messageId: "r-2", toolCallId: "own-2", content: "two" },
          { type: "TOOL_CALL_RESULT", messageId: "r-1", toolCallId: "own-1", content: "one" },
        );
        run.say("Found.");
      } else run.say("Yes.");
      run.finish();
    });
    const agent = await anAgent(runtime.url);
    const client = await agent.connect();
    expect(await client.ask("Search")).toMatchObject({ content: "Looking.\n\nFound." });
    const frames = client.frames.filter(({ type }) => type.startsWith("tool"));
    expect(frames).toMatchObject([
      { type: "tool_call", tool_call: { id: "own-1", name: "search" } },
      { type: "tool_result", tool_result: { id: "own-1", result: "one" } },
      { type: "tool_call", tool_call: { id: "own-2", name: "search" } },
      { type: "tool_result", tool_result: { id: "own-2", result: "two" } },
    ]);
    await client.ask("Sure?");
    expect(runtime.inputs).toHaveLength(2);
    expect(runtime.inputs[1].messages.slice(2)).toMatchObject([
      { role: "assistant", content: "Looking.", toolCalls: [{ id: "own-1" }] },
      { role: "tool", toolCallId: "own-1", content: "one" },
      { role: "assistant", toolCalls: [{ id: "own-2" }] },
      { role: "tool", toolCallId: "own-2", content: "two" },
      { role: "assistant", content: "Found." },
      { role: "user", content: "Sure?" },
    ]);
  });

  it("runs what is the registry's beside what is the framework's, in one answer", async () => {
    const { tool, bodies } = await aShop();
    const runtime = await aRuntime((run) => {
      if (run.number === 0) {
        run.call("ours", "pay", { amount: 1 });
        run.call("own", "search", {});
        run.send({
          type: "TOOL_CALL_RESULT",
          toolCallId: "own",
          content: [{ type: "text", text: "x" }],
        });
      } else run.say("Done.");
      run.finish();
    });
    const agent = await anAgent(runtime.url, { tools: [tool] });
    const client = await agent.connect();
    expect(await client.ask("Both")).toMatchObject({ content: "Done." });
    expect(bodies).toHaveLength(1);
    expect(runtime.inputs[1].messages.slice(2)).toMatchObject([
      { role: "assistant", toolCalls: [{ id: "own" }] },
      { role: "tool", toolCallId: "own", content: "x" },
      { role: "assistant", toolCalls: [{ id: "ours" }] },
      { role: "tool", toolCallId: "ours" },
    ]);
  });

  it("takes a call of the registry's tool that comes with a result as the framework's own", async () => {
    const { tool, bodies } = await aShop();
    const runtime = await aRuntime((run) => {
      run.call("c", "pay", {});
      run.send({ type: "TOOL_CALL_RESULT", toolCallId: "c", content: "paid already" });
      run.say("Done.");
      run.finish();
    });
    const agent = await anAgent(runtime.url, { tools: [tool] });
    const client = await agent.connect();
    expect(await client.ask("Pay")).toMatchObject({ content: "Done." });
    expect(bodies).toEqual([]);
    expect(client.frames.filter(({ type }) => type === "tool_result")).toMatchObject([
      { tool_result: { id: "c", result: "paid already" } },
    ]);
  });

  it("refuses a call that nobody runs, and asks again with that", async () => {
    const runtime = await aRuntime((run) => {
      if (run.number === 0) run.call("c", "no-such-tool", {});
      else run.say("Then without.");
      run.finish();
    });
    const agent = await anAgent(runtime.url);
    const client = await agent.connect();
    expect(await client.ask("Try")).toMatchObject({ content: "Then without." });
    expect(runtime.inputs[1].messages.at(-1)).toMatchObject({
      role: "tool",
      error: 'there is no tool "no-such-tool"; the tools are: none',
    });
  });

  it("stops a framework that makes more calls than a turn may have", async () => {
    const runtime = await aRuntime(async (run) => {
      run.say("Searching.");
      for (let number = 0; number < 8; number += 1) {
        run.call(`own-${number}`, "search", { number });
        run.send({ type: "TOOL_CALL_RESULT", toolCallId: `own-${number}`, content: "nothing" });
      }
      await run.closed;
    });
    const prompt = { active: aPrompt({ maxRounds: 3 }) };
    const agent = await anAgent(runtime.url, { prompt });
    const client = await agent.connect();
    expect(await client.ask("Go")).toMatchObject({ finish_reason: "tool_limit" });
    expect(client.frames.filter(({ type }) => type === "tool_call")).toHaveLength(3);
  });

  it("asks once more without tools when the registry's were called too often", async () => {
    const { tool, bodies } = await aShop();
    const runtime = await aRuntime((run) => {
      if (run.input.tools.length > 0) run.call("c", "pay", { number: run.number });
      else run.say("That is all.");
      run.finish();
    });
    const prompt = { active: aPrompt({ maxRounds: 2 }) };
    const agent = await anAgent(runtime.url, { prompt, tools: [tool] });
    const client = await agent.connect();
    expect(await client.ask("Go")).toMatchObject({
      content: "That is all.",
      finish_reason: "tool_limit",
    });
    expect(bodies).toHaveLength(2);
  });

  it("has a call wait for its approval, and goes on with the result", async () => {
    const { tool, bodies } = await aShop();
    const runtime = await aRuntime((run) => {
      if (run.number === 0) run.call("c", "pay", { amount: 9 });
      else run.say("Paid.");
      run.finish();
    });
    const agent = await anAgent(runtime.url, { tools: [{ ...tool, approval: "always" }] });
    const client = await agent.connect();
    client.say("Pay nine");
    const { approval } = await client.nextOf("approval_request");
    expect(await client.nextOf("done")).toMatchObject({ finish_reason: "awaiting_approval" });
    expect(bodies).toEqual([]);
    client.send({ type: "approve", id: approval.id });
    expect(await client.nextOf("done")).toMatchObject({ content: "Paid." });
    expect(bodies).toEqual(['{"amount":9}']);
    expect(runtime.inputs[1].messages.slice(1)).toMatchObject([
      { role: "user", content: "Pay nine" },
      { role: "assistant", toolCalls: [{ id: "c" }] },
      { role: "tool", toolCallId: "c", content: '{"paid":true}' },
    ]);
  });

  it("ends the request within a second when it is cancelled", async () => {
    const cancelled = Promise.withResolvers<number>();
    const runtime = await aRuntime(async (run) => {
      run.say("On and on.");
      await run.closed;
      cancelled.resolve(performance.now());
    });
    const agent = await anAgent(runtime.url);
    const client = await agent.connect();
    client.say("Tell a story");
    await client.nextOf("chunk");
    const asked = performance.now();
    client.send({ type: "cancel" });
    expect((await cancelled.promise) - asked).toBeLessThan(timeFor(1_000));
    expect(await client.nextOf("done")).toMatchObject({
      finish_reason: "cancelled",
      content: "On and on.",
    });
  });

  it("reads texts and calls in chunks, ids that differ, and events that it does not know", async () => {
    const { tool, bodies } = await aShop();
    const runtime = await aRuntime((run) => {
      if (run.number === 0) {
        run.send(
          { type: "RAW", event: {} },
          { type: "STATE_SNAPSHOT", snapshot: {} },
          { type: "TEXT_MESSAGE_CHUNK", delta: "One" },
          { type: "TOOL_CALL_CHUNK", toolCallId: "c", toolCallName: "pay", delta: '{"a' },
          { type: "TOOL_CALL_CHUNK", delta: '":1}' },
          { type: "CUSTOM", name: "x", value: 1 },
        );
        run.send({ type: "RUN_FINISHED", threadId: "another", runId: "another" });
        run.send({ type: "RUN_ERROR", message: "after the end" });
      } else {
        run.send(
          { type: "TEXT_MESSAGE_START", messageId: "u", role: "user" },
          { type: "TEXT_MESSAGE_CONTENT", messageId: "u", delta: "not the model's" },
          { type: "TEXT_MESSAGE_CONTENT", messageId: "a", delta: "Two." },
          { type: "TEXT_MESSAGE_CONTENT", messageId: "b", delta: "Three." },
        );
        run.finish({ outcome: { type: "success" } });
      }
    });
    const agent = await anAgent(runtime.url, { tools: [tool] });
    const client = await agent.connect();
    expect(await client.ask("Go")).toMatchObject({ content: "One\n\nTwo.\n\nThree." });
    expect(bodies).toEqual(['{"a":1}']);
  });

  it("takes an answer that was not streamed from the snapshot of the messages", async () => {
    const runtime = await aRuntime((run) => {
      run.send({
        type: "MESSAGES_SNAPSHOT",
        messages: [...run.input.messages, { id: "x", role: "assistant", content: "Not streamed." }],
      });
      run.finish();
    });
    const agent = await anAgent(runtime.url);
    const client = await agent.connect();
    expect(await client.ask("Go")).toMatchObject({ content: "Not streamed." });
  });
});

describe("an answer that was not streamed", () => {
  it("is taken from the snapshot also behind a call of the framework, and not beside what was streamed", async () => {
    const runtime = await aRuntime((run) => {
      run.say("Looking.");
      run.call("own", "search", {});
      run.send(
        { type: "TOOL_CALL_RESULT", toolCallId: "own", content: "found" },
        {
          type: "MESSAGES_SNAPSHOT",
          messages: [
            ...run.input.messages,
            { id: "a", role: "assistant", content: "Looking." },
            { id: "t", role: "tool", toolCallId: "own", content: "found" },
            { id: "b", role: "assistant", content: [{ type: "text", text: "It is 4." }] },
          ],
        },
      );
      if (run.number === 1) run.say("It is 4.");
      run.finish();
    });
    const agent = await anAgent(runtime.url);
    const client = await agent.connect();
    expect(await client.ask("One")).toMatchObject({ content: "Looking.\n\nIt is 4." });
    expect(await client.ask("Two")).toMatchObject({ content: "Looking.\n\nIt is 4." });
  });
});

describe("a runtime that fails", () => {
  const cases: readonly [string, string, (run: Run) => void | Promise<void>][] = [
    [
      "says so",
      "server_error",
      (run) => {
        run.send({ type: "RUN_ERROR", message: `401 for key ${SECRET} at 10.1.2.3` });
        run.send({ type: "RUN_FINISHED" });
        run.response.end();
      },
    ],
    ["ends without an end", "interrupted", (run) => void run.response.end()],
    ["breaks off", "interrupted", (run) => void run.response.destroy()],
    [
      "waits for an answer of a person",
      "unsuccessful_finish",
      (run) => run.finish({ outcome: { type: "interrupt", interrupts: [{ id: "i" }] } }),
    ],
    [
      "was cancelled by somebody else",
      "unsuccessful_finish",
      (run) => run.finish({ outcome: { type: "cancelled" } }),
    ],
    ["sends no JSON", "malformed", (run) => void run.response.end(`data: {${SECRET}\n\n`)],
    [
      "sends half an event",
      "malformed",
      (run) => {
        run.send({ type: "TEXT_MESSAGE_CONTENT", messageId: "m" });
        run.response.end();
      },
    ],
    ["says nothing", "empty", (run) => run.finish()],
    [
      "sends an event without end",
      "too_large",
      async (run) => {
        const megabyte = "x".repeat(1024 * 1024);
        run.response.write('data: {"type":"RAW","event":"');
        for (let size = 0; size < 10; size += 1) run.response.write(megabyte);
        await run.closed;
      },
    ],
    [
      "sends calls without end",
      "too_large",
      async (run) => {
        for (let call = 0; call < 200; call += 1) {
          run.send({ type: "TOOL_CALL_START", toolCallId: `c${call}`, toolCallName: "search" });
        }
        await run.closed;
      },
    ],
  ];

  it.for(cases)("ends the turn when it %s", async ([, reason, answer]) => {
    const runtime = await aRuntime(answer);
    const agent = await anAgent(runtime.url);
    const client = await agent.connect();
    client.say("Hello");
    const { error } = await client.nextOf("error");
    expect(error).toMatchObject({ code: "PROVIDER_ERROR", details: { reason } });
    expect(error.message).toMatch(/^runtime: /);
    const told = JSON.stringify([client.frames, agent.logged]);
    expect(told).not.toContain(SECRET);
    expect(told).not.toContain("10.1.2.3");
    // Whoever asks again is answered in the same session.
    expect(runtime.inputs).toHaveLength(1);
  });

  it.for([
    [500, "server_error"],
    [503, "server_error"],
    [401, "invalid_request"],
    [422, "invalid_request"],
    [307, "redirected"],
  ] as const)("ends the turn when it answers with %i", async ([status, reason]) => {
    let elsewhere = 0;
    const other = await startHttpServer((_, response) => {
      elsewhere += 1;
      response.end();
    });
    onTestFinished(() => other.close());
    const server = await startHttpServer((request, response) => {
      request.resume();
      response.writeHead(status, { location: other.url }).end(`key ${SECRET}`);
    });
    onTestFinished(() => server.close());
    const agent = await anAgent(server.url);
    const client = await agent.connect();
    client.say("Hello");
    const { error } = await client.nextOf("error");
    expect(error).toMatchObject({ code: "PROVIDER_ERROR", details: { reason } });
    expect(JSON.stringify([client.frames, agent.logged])).not.toContain(SECRET);
    expect(elsewhere).toBe(0);
  });

  it("ends a call of its own that had begun, and keeps it in the history", async () => {
    const runtime = await aRuntime((run) => {
      if (run.number === 0) {
        run.call("own", "search", {});
        run.send({ type: "RUN_ERROR", message: "x" });
      } else {
        run.say("Well.");
        run.finish();
      }
    });
    const agent = await anAgent(runtime.url);
    const client = await agent.connect();
    client.say("Search");
    expect(await client.nextOf("tool_result")).toMatchObject({
      tool_result: {
        id: "own",
        error:
          "The runtime ended before the result came; whether the call had an effect is not known.",
      },
    });
    expect(await client.nextOf("error")).toMatchObject({ error: { code: "PROVIDER_ERROR" } });
    expect(await client.ask("And now?")).toMatchObject({ content: "Well." });
    expect(runtime.inputs[1].messages.slice(2, 4)).toMatchObject([
      { role: "assistant", toolCalls: [{ id: "own" }] },
      { role: "tool", toolCallId: "own" },
    ]);
  });

  it("is asked again when it did not get the request", async () => {
    const runtime = await aRuntime((run) => {
      run.say("Here I am.");
      run.finish();
    });
    await runtime.close();
    const agent = await anAgent(runtime.url);
    const client = await agent.connect();
    client.say("Hello");
    expect(await client.nextOf("error")).toMatchObject({
      error: {
        code: "PROVIDER_ERROR",
        message: "runtime: it does not answer; try again",
        details: { reason: "unreachable" },
      },
    });
    expect(await agent.management("/readyz")).toMatchObject({
      status: 503,
      body: expect.stringContaining(`the runtime does not answer at ${runtime.url}`),
    });
  });

  it("is not ready until its health path answers well", async () => {
    let status = 503;
    const server = await startHttpServer((_, response) => void response.writeHead(status).end());
    onTestFinished(() => server.close());
    const env = { OMNIA_RUNTIME_URL: `${server.url}/agent`, OMNIA_RUNTIME_HEALTH_PATH: "/health" };
    const agent = await anAgent(server.url, {}, { env });
    expect((await agent.management("/readyz")).body).toContain(
      `the runtime answers with 503 at ${server.url}/health`,
    );
    status = 204;
    expect((await agent.management("/readyz")).status).toBe(200);
  });

  it.for([
    [{ OMNIA_RUNTIME_COMMAND: "a", OMNIA_RUNTIME_URL: "http://b" }, "set one of them"],
    [{ OMNIA_RUNTIME_URL: "ftp://host" }, "http:// or https://"],
    [{ OMNIA_RUNTIME_URL: `http://user:${SECRET}@host` }, "a user or a password"],
    [{ OMNIA_RUNTIME_COMMAND: "python 'app.py" }, "is not closed"],
    [{ OMNIA_RUNTIME_COMMAND: "a", OMNIA_RUNTIME_PROTOCOL: "smtp" }, "ag-ui"],
    [{ OMNIA_RUNTIME_COMMAND: "a", OMNIA_RUNTIME_PATH: "//host" }, "must be a path"],
  ] as const)("is not ready with %j", async ([env, why]) => {
    const agent = await anAgent("", {}, { env });
    const { status, body } = await agent.management("/readyz");
    expect({ status, body }).toMatchObject({ status: 503, body: expect.stringContaining(why) });
    expect(body).not.toContain(SECRET);
  });
});
