/** What a collector is told of turns, and who else is told of their trace. */
import type { IncomingHttpHeaders } from "node:http";
import { expect, it, describe, onTestFinished } from "vitest";
import { startModelServer } from "../../support/agent/model-server.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { aRuntimeConfig, aTool } from "../../support/builders/agent-config.ts";
import {
  startTraceReceiver,
  type ReceivedSpan,
} from "../../support/observability/trace-receiver.ts";
import { startHttpServer } from "../../support/processes/http-server.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const OTHER_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "b7ad6b7169203331";
const QUESTION = "How is the weather in Oslo?";

async function anAgent(env: Record<string, string> = {}) {
  const told: IncomingHttpHeaders[] = [];
  const tool = await startHttpServer((request, response) => {
    told.push(request.headers);
    response.end('{"weather":"sunny"}');
  });
  onTestFinished(() => tool.close());
  const model = await startModelServer();
  onTestFinished(() => model.close());
  model.mock.on(
    { hasToolResult: false },
    { toolCalls: [{ id: "call_1", name: "get-weather", arguments: '{"city":"Oslo"}' }] },
  );
  model.mock.on({ hasToolResult: true }, { content: "It is sunny." });
  const receiver = await startTraceReceiver();
  const agent = await TestAgent.start({
    config: aRuntimeConfig({
      provider: { baseURL: `${model.url}/v1`, apiKeyFile: "key" },
      tools: [aTool({ url: tool.url })],
    }),
    files: { key: "sk-private-key-of-mine" },
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_HEADERS: "x-collector-key=private%20key",
      ...env,
    },
  });
  async function ask(metadata?: object, headers?: Record<string, string>) {
    const client = await agent.connect("/", { headers: headers ?? {} });
    const { session_id: sessionId } = await client.nextOf("connected");
    client.send({ type: "message", content: QUESTION, ...(metadata && { metadata }) });
    await client.nextOf("done");
    return sessionId;
  }
  /** Ends the agent, which exports what is left. */
  async function spansAtEnd(): Promise<readonly ReceivedSpan[]> {
    await agent.running.drain();
    return receiver.spans;
  }
  const line = () => agent.logged.find(({ msg }) => msg === "A turn has ended");
  return { agent, model, told, receiver, ask, spansAtEnd, line };
}

function named(spans: readonly ReceivedSpan[], name: string): ReceivedSpan[] {
  return spans.filter((span) => span.name.startsWith(name));
}

describe("traces", () => {
  it("tell of a turn, its requests to the model and its calls of tools, in the words of the conventions", async () => {
    const { ask, spansAtEnd, receiver, line } = await anAgent();
    const sessionId = await ask();
    const spans = await spansAtEnd();
    const [turn] = named(spans, "invoke_agent");
    expect(turn).toMatchObject({
      kind: 2,
      attributes: {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.conversation.id": sessionId,
        "gen_ai.provider.name": "openai",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": expect.any(Number),
        "omnia.outcome": "success",
        "omnia.handler": "runtime",
        "omnia.pack.version": expect.any(String),
      },
    });
    expect(turn?.parentSpanId ?? "").toBe("");
    const chats = named(spans, "chat ");
    expect(chats).toHaveLength(2);
    expect(chats.map(({ attributes }) => attributes["gen_ai.response.finish_reasons"])).toEqual([
      ["tool_call"],
      ["stop"],
    ]);
    const [call] = named(spans, "execute_tool");
    expect(call).toMatchObject({
      name: "execute_tool get-weather",
      attributes: { "gen_ai.tool.name": "get-weather", "gen_ai.tool.call.id": "call_1" },
    });
    for (const span of [...chats, call]) {
      expect(span).toMatchObject({ traceId: turn?.traceId, parentSpanId: turn?.spanId });
    }
    expect(line()).toMatchObject({ traceId: turn?.traceId });
    expect(receiver.resources[0]).toMatchObject({ "service.name": expect.any(String) });
    expect(receiver.headers).toContain("private key");
  });

  it("hold nothing that was said, and no secret", async () => {
    const { ask, spansAtEnd, receiver } = await anAgent();
    await ask();
    await spansAtEnd();
    expect(receiver.bodies.length).toBeGreaterThan(0);
    expect(receiver.bodies.join("")).not.toMatch(/Oslo|sunny|private/);
  });

  it("hold what was said, without secrets, where somebody turned that on", async () => {
    const { agent, spansAtEnd } = await anAgent({
      OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: "true",
    });
    const client = await agent.connect("/");
    client.send({ type: "message", content: "Oslo? My key is sk-private-key-of-mine" });
    await client.nextOf("done");
    const spans = await spansAtEnd();
    const all = JSON.stringify(spans);
    expect(all).not.toContain("private-key-of-mine");
    const [turn] = named(spans, "invoke_agent");
    expect(turn?.attributes["gen_ai.input.messages"]).toContain("Oslo?");
    expect(turn?.attributes["gen_ai.output.messages"]).toContain("It is sunny.");
    const [call] = named(spans, "execute_tool");
    expect(call?.attributes["gen_ai.tool.call.arguments"]).toBe('{"city":"Oslo"}');
    expect(call?.attributes["gen_ai.tool.call.result"]).toContain("sunny");
    const [chat] = named(spans, "chat ");
    expect(chat?.attributes["gen_ai.input.messages"]).toContain("Oslo?");
    expect(chat?.attributes["gen_ai.output.messages"]).toContain("get-weather");
  });

  it("go on with the trace of the client, and are told to the model and to the tool", async () => {
    const { ask, spansAtEnd, told, model } = await anAgent();
    const headers = { traceparent: `00-${TRACE}-${SPAN}-01`, tracestate: "vendor=1" };
    await ask(undefined, headers);
    const spans = await spansAtEnd();
    const [turn] = named(spans, "invoke_agent");
    expect(turn).toMatchObject({ traceId: TRACE, parentSpanId: SPAN });
    const [call] = named(spans, "execute_tool");
    expect(told[0]).toMatchObject({
      traceparent: `00-${TRACE}-${call?.spanId}-01`,
      tracestate: "vendor=1",
    });
    const ids = named(spans, "chat ").map(({ spanId }) => `00-${TRACE}-${spanId}-01`);
    expect(model.requests.map((request) => request.headers["traceparent"])).toEqual(ids);
  });

  it("go by what a message says before what the connection said, and leave out what is malformed", async () => {
    const { ask, spansAtEnd } = await anAgent();
    const headers = { traceparent: `00-${TRACE}-${SPAN}-01` };
    await ask({ traceparent: `00-${OTHER_TRACE}-${SPAN}-01` }, headers);
    await ask({ traceparent: "<script>" }, headers);
    await ask({ traceparent: `00-${"0".repeat(32)}-${SPAN}-01` });
    const turns = named(await spansAtEnd(), "invoke_agent");
    expect(turns.map(({ traceId }) => traceId).slice(0, 2)).toEqual([OTHER_TRACE, TRACE]);
    expect(turns[2]?.traceId).toMatch(/^(?!0+$)[\da-f]{32}$/);
    expect(turns[2]?.parentSpanId ?? "").toBe("");
  });

  it("leave out what the caller does not sample, and pass that on", async () => {
    const { ask, spansAtEnd, told } = await anAgent();
    await ask(undefined, { traceparent: `00-${TRACE}-${SPAN}-00` });
    expect(await spansAtEnd()).toEqual([]);
    expect(told[0]?.["traceparent"]).toMatch(new RegExp(`^00-${TRACE}-[\\da-f]{16}-00$`));
  });

  it("name the code of what failed, and not its words", async () => {
    const { agent, model, spansAtEnd } = await anAgent();
    model.mock.reset();
    model.mock.on({}, { error: { message: "private words", type: "server" }, status: 401 });
    const client = await agent.connect("/");
    client.send({ type: "message", content: "hello" });
    await client.nextOf("error");
    const spans = await spansAtEnd();
    expect(named(spans, "invoke_agent")[0]).toMatchObject({
      status: { code: 2 },
      attributes: { "error.type": "PROVIDER_ERROR", "omnia.outcome": "error" },
    });
    expect(named(spans, "chat ")[0]).toMatchObject({
      status: { code: 2 },
      attributes: { "error.type": expect.stringMatching(/^[a-z_]+$/) },
    });
    expect(JSON.stringify(spans)).not.toContain("private");
  });
});

describe("an agent whose collector is not there", () => {
  it("answers as ever, says once that its traces are lost, and ends in time", async () => {
    const { agent, ask, line } = await anAgent({
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1",
    });
    await ask();
    await ask();
    expect(line()).toMatchObject({ outcome: "success", traceId: expect.any(String) });
    await agent.running.drain();
    const lost = agent.logged.filter(({ msg }) => String(msg).includes("could not be exported"));
    expect(lost.length).toBeLessThanOrEqual(1);
  });
});

describe("an agent that exports no traces", () => {
  it("passes no trace on, and names none in its log", async () => {
    const { ask, told, line, model } = await anAgent({ OTEL_SDK_DISABLED: "true" });
    await ask(undefined, { traceparent: `00-${TRACE}-${SPAN}-01` });
    expect(told[0]).not.toHaveProperty("traceparent");
    expect(model.requests[0]?.headers).not.toHaveProperty("traceparent");
    expect(line()).not.toHaveProperty("traceId");
  });

  it("says why where a variable is wrong", async () => {
    const { agent, ask } = await anAgent({ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" });
    await ask();
    const problem = expect.stringContaining("http/protobuf");
    expect(agent.logged).toContainEqual(expect.objectContaining({ problem }));
  });
});
