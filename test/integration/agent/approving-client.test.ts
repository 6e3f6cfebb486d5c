/** The client library where calls of tools wait for an approval, over lines that are cut. */
import { randomUUID } from "node:crypto";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import type { AnswerFrame, ServerFrame } from "../../../src/protocol/frames.ts";
import { SessionClient } from "../../../src/protocol/client/session-client.ts";
import { webSocketTransport } from "../../../src/protocol/client/web-socket-transport.ts";
import { systemClock } from "../../../src/time/clock.ts";
import { startCuttableLine } from "../../support/agent/cuttable-line.ts";
import { startModelServer } from "../../support/agent/model-server.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { aRuntimeConfig, aTool } from "../../support/builders/agent-config.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import { startHttpServer } from "../../support/processes/http-server.ts";

const never = new AbortController().signal;
const model = forAllTests(
  async () => {
    const server = await startModelServer();
    const toolCalls = ["one", "two"].map((id) => ({ name: "pay", id, arguments: "{}" }));
    server.mock.on(
      { userMessage: /one/, hasToolResult: false },
      { toolCalls: toolCalls.slice(0, 1) },
    );
    server.mock.on({ userMessage: /two/, hasToolResult: false }, { toolCalls });
    server.mock.on({ hasToolResult: true }, { content: "All is done." });
    return server;
  },
  (server) => server.close(),
);

/** An agent with a tool that waits for an approval, how often that was called, and a line to it that can be cut. */
async function anAgent() {
  const calls: string[] = [];
  const tool = await startHttpServer((request, response) => {
    calls.push(request.url ?? "");
    response.setHeader("content-type", "application/json");
    response.end("{}");
  });
  onTestFinished(() => tool.close());
  const tools = [
    aTool({ name: "pay", url: tool.url, inputSchema: { type: "object" }, approval: "always" }),
  ];
  const config = aRuntimeConfig({ provider: { baseURL: model().url, api: "chat" }, tools });
  const agent = await TestAgent.start({ config, files: { "provider/api-key": "sk-test" } });
  const line = await startCuttableLine(Number(new URL(agent.url).port));
  onTestFinished(() => line[Symbol.asyncDispose]());

  async function connect(sessionId?: string) {
    const frames: ServerFrame[] = [];
    const client = await SessionClient.connect(
      {
        url: `ws://127.0.0.1:${line.port}`,
        transport: webSocketTransport(WebSocket),
        clock: systemClock,
        random: () => 0,
        newMessageId: randomUUID,
        sessionId,
        onFrame: (frame, _text, isOwn) => frame !== undefined && isOwn && frames.push(frame),
      },
      never,
    );
    onTestFinished(() => client.close());
    return { client, frames };
  }
  return { agent, calls, line, connect };
}

function approve(id: string): AnswerFrame {
  return { type: "approve", id };
}

const ids = (client: SessionClient) => client.openRequests.map(({ id }) => id);
const typesOf = (frames: readonly ServerFrame[]) => frames.map(({ type }) => type);

describe("a client of a session that waits", () => {
  it("runs the turn that goes on, though its line is cut before the answer and after it", async () => {
    const { calls, line, connect } = await anAgent();
    const { client, frames } = await connect();
    expect(await client.turn("pay one", never)).toMatchObject({
      finishReason: "awaiting_approval",
    });
    expect(ids(client)).toEqual(["one"]);
    line.cut();
    const end = client.answer([approve("one")], never);
    await expect.poll(() => typesOf(frames)).toContain("tool_call");
    line.cut();
    expect(await end).toMatchObject({
      type: "done",
      content: "All is done.",
      finishReason: "stop",
    });
    expect(calls).toHaveLength(1);
    expect(ids(client)).toEqual([]);
    const seqs = frames.flatMap((frame) =>
      "seq" in frame && frame.type !== "connected" ? frame.seq : [],
    );
    expect(seqs).toEqual(seqs.map((_, at) => at + 1));
  });

  it("learns of open requests when it goes on with a session, each once, and answers all of them", async () => {
    const { calls, line, connect } = await anAgent();
    const first = await connect();
    await first.client.turn("pay two", never);
    const { client, frames } = await connect(first.client.sessionId);
    await client.caughtUp(never);
    expect(ids(client)).toEqual(["one", "two"]);
    expect(await client.answer([{ type: "deny", id: "one" }], never)).toBeUndefined();
    expect(ids(client)).toEqual(["two"]);
    await client.caughtUp(never);
    line.cut();
    await client.caughtUp(never);
    expect(ids(client)).toEqual(["two"]);
    expect(typesOf(frames).filter((type) => type === "approval_request")).toHaveLength(2);
    expect(await client.answer([approve("two")], never)).toMatchObject({ finishReason: "stop" });
    expect(calls).toHaveLength(1);
  });

  it("is told when somebody else was quicker, and can talk on", async () => {
    const { agent, calls, connect } = await anAgent();
    const { client } = await connect();
    await client.turn("pay one", never);
    const other = await agent.connect(`/?session_id=${client.sessionId}`);
    other.send({ type: "deny", id: "one" });
    const { seq } = await other.nextOf("done");
    await expect.poll(() => client.seq).toBe(seq);
    expect(await client.answer([approve("one")], never)).toMatchObject({
      type: "error",
      error: { code: "INVALID_MESSAGE" },
    });
    expect(ids(client)).toEqual([]);
    expect(await client.turn("pay one", never)).toMatchObject({ type: "done" });
    expect(calls).toEqual([]);
  });
});
