/** Frames, tool answers and tool schemas of people who mean harm, against an agent that runs: it lives on, and serves others. */
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { AgentProcess } from "../../support/agent/agent-process.ts";
import { startModelServer } from "../../support/agent/model-server.ts";
import { aRuntimeConfig, aTool } from "../../support/builders/agent-config.ts";
import {
  hostileAnswers,
  hostileFrames,
  hostileSchemas,
} from "../../support/hostile/hostile-input.ts";
import { startHttpServer } from "../../support/processes/http-server.ts";

const FRAMES = 600;
const TURNS = 40;
const NO_ANSWER = { status: 204, headers: {}, body: Buffer.alloc(0) };
/** What an agent keeps of sessions and of code that it has compiled. */
const GROWTH_BYTES = 128 * 1024 * 1024;

async function heapBytes({ managementPort }: AgentProcess): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${managementPort}/metrics`);
  const [, value = ""] =
    /^nodejs_heap_size_used_bytes\S* (\S+)$/m.exec(await response.text()) ?? [];
  return Number(value);
}

/** Sends the frames, over a new connection after each that the agent closes. */
async function pour(url: string, frames: readonly (string | Buffer)[]): Promise<void> {
  let next = 0;
  while (next < frames.length) {
    const socket = new WebSocket(url);
    socket.on("error", () => {});
    await new Promise((resolve) => socket.once("open", resolve));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    while (next < frames.length && socket.readyState === WebSocket.OPEN) {
      const frame = frames[next++] ?? "";
      await new Promise<void>((resolve) => socket.send(frame, () => resolve()));
    }
    // The agent has read all that came before when it answers a ping.
    const answered = new Promise((resolve) => socket.once("pong", resolve));
    if (socket.readyState === WebSocket.OPEN) socket.ping();
    await Promise.race([answered, closed]);
    socket.terminate();
  }
}

describe("an agent that is sent hostile input", () => {
  it("survives frames of any kind, answers others and keeps nothing of them", async () => {
    const agent = await AgentProcess.start({ config: {} });
    const honest = await agent.connect();
    await pour(agent.url, hostileFrames(FRAMES, 1));
    const before = await heapBytes(agent);
    await pour(agent.url, hostileFrames(FRAMES, 2));
    expect(agent.child.exitCode).toBeNull();
    expect((await heapBytes(agent)) - before).toBeLessThan(GROWTH_BYTES);
    expect(await honest.ask("still there?")).toMatchObject({ content: "still there?" });
  });

  it("ends each turn, whatever its tools answer and whatever their schemas are", async () => {
    const answers = hostileAnswers(TURNS, 5);
    let calls = 0;
    await using tools = await startHttpServer((_request, response) => {
      const { status, headers, body } = answers[calls++ % TURNS] ?? NO_ANSWER;
      response.writeHead(status, headers).end(status === 204 ? undefined : body);
    });
    await using model = await startModelServer();
    const schemas = hostileSchemas(TURNS, 6);
    for (let at = 0; at < TURNS; at += 1) {
      const call = { name: `tool-${at}`, arguments: '{"text":"aaaaaaaaaaaaaa!"}' };
      model.mock.on(
        { userMessage: new RegExp(`turn ${at}[.]`), hasToolResult: false },
        { toolCalls: [call] },
      );
      model.mock.on(
        { userMessage: new RegExp(`turn ${at}[.]`), hasToolResult: true },
        { content: `end ${at}` },
      );
    }
    const agent = await AgentProcess.start({
      config: aRuntimeConfig({
        provider: { baseURL: `${model.url}/v1`, api: "chat" },
        tools: schemas.map((inputSchema, at) =>
          aTool({
            name: `tool-${at}`,
            registryName: `tool-${at}`,
            url: `${tools.url}/${at}`,
            inputSchema: { type: "object", ...inputSchema },
          }),
        ),
      }),
      files: { "provider/api-key": "sk-test" },
    });
    for (let at = 0; at < TURNS; at += 1) {
      const client = await agent.connect();
      client.say(`turn ${at}.`);
      let frame = await client.next();
      while (frame.type !== "done" && frame.type !== "error") frame = await client.next();
      // The model is told of a call that is refused and of an answer that makes no sense, and goes on.
      expect(frame).toMatchObject({ type: "done", content: `end ${at}` });
      client.socket.terminate();
    }
    expect(agent.child.exitCode).toBeNull();
  });
});
