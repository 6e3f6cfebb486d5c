/** Turns of an agent that calls gRPC tools, as its client sees them. */
import { describe, expect, it } from "vitest";
import type { ToolConfig } from "../../../src/agent-config/agent-config.ts";
import type { ServerFrame } from "../../../src/protocol/frames.ts";
import { AgentProcess } from "../../support/agent/agent-process.ts";
import { startModelServer, type ModelServer } from "../../support/agent/model-server.ts";
import { aRuntimeConfig, aTool } from "../../support/builders/agent-config.ts";
import {
  HIDDEN_TEXT,
  PORT_FAULTS,
  passTo,
  startFaultyProxy,
  startFaultyStreams,
  STREAM_FAULTS,
} from "../../support/grpc/faulty-grpc.ts";
import { shopDescriptors, startGrpcio } from "../../support/grpc/grpc-server.ts";

const GROWTH_BYTES = 30 * 1024 * 1024;

async function startModel(name: string, toolArguments: object): Promise<ModelServer> {
  const model = await startModelServer();
  const call = { name, arguments: JSON.stringify(toolArguments) };
  model.mock.on({ userMessage: /.*/, hasToolResult: false }, { toolCalls: [call] });
  model.mock.on({ userMessage: /.*/, hasToolResult: true }, { content: "that is all" });
  return model;
}

async function startAgent(
  model: ModelServer,
  tool: Partial<ToolConfig> & Pick<ToolConfig, "url">,
): Promise<AgentProcess> {
  return await AgentProcess.start({
    config: aRuntimeConfig({
      provider: { baseURL: `${model.url}/v1`, api: "chat" },
      tools: [aTool({ name: "shop", registryName: "shop", type: "grpc", ...tool })],
    }),
    files: { "provider/api-key": "sk-test" },
  });
}

async function framesOf(agent: AgentProcess, content: string): Promise<ServerFrame[]> {
  const client = await agent.connect();
  client.say(content);
  const frames: ServerFrame[] = [];
  do {
    frames.push(await client.next());
  } while (!["done", "error"].includes(frames.at(-1)?.type ?? ""));
  client.socket.terminate();
  return frames;
}

async function residentBytes({ managementPort }: AgentProcess): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${managementPort}/metrics`);
  const [, value = ""] =
    /^process_resident_memory_bytes\S* (\S+)$/m.exec(await response.text()) ?? [];
  return Number(value);
}

describe("a turn with a gRPC tool", () => {
  it("tells the model of the server's methods, and the client of the call and its result", async () => {
    await using backend = await startGrpcio();
    await using model = await startModel("Shop_GetOrder", { orderId: "7" });
    const agent = await startAgent(model, {
      url: `grpc://127.0.0.1:${backend.port}`,
      allow: ["Shop_GetOrder", "Shop_Echo"],
    });
    const frames = await framesOf(agent, "where is my order?");
    expect(frames).toMatchObject([
      { type: "connected" },
      { type: "tool_call", tool_call: { name: "Shop_GetOrder", arguments: { orderId: "7" } } },
      {
        type: "tool_result",
        tool_result: { result: { orderId: "7", state: "STATE_SENT", cents: "9007199254740993" } },
      },
      { type: "chunk" },
      { type: "done", content: "that is all" },
    ]);
    const [request] = model.requests;
    const offered = request?.body.tools as { function: { name: string; parameters: object } }[];
    expect(offered.map((tool) => tool.function.name)).toEqual(["Shop_Echo", "Shop_GetOrder"]);
    expect(offered[1]?.function.parameters).toMatchObject({
      type: "object",
      properties: { orderId: { type: "string" } },
    });
    expect(JSON.stringify(offered[0]?.function.parameters)).not.toContain("$ref");
  });

  it("goes on after every fault of a server, and shows neither its address nor what it sent", async () => {
    await using backend = await startGrpcio({ reflection: false });
    await using proxy = await startFaultyProxy();
    await using model = await startModel("Shop_PlaceOrder", { orderId: "7" });
    const descriptorSet = (await shopDescriptors()).toString("base64");
    const agent = await startAgent(model, {
      url: `127.0.0.1:${proxy.port}`,
      timeoutMs: 1_000,
      grpc: { descriptorSet },
    });
    const turn = async (what: string): Promise<ServerFrame> => {
      const frames = await framesOf(agent, what);
      const text = JSON.stringify(frames);
      expect(text).not.toContain(String(proxy.port));
      expect(text).not.toContain(HIDDEN_TEXT);
      const types = frames.map(({ type }) => type);
      expect({ what, types }).toEqual({
        what,
        types: ["connected", "tool_call", "tool_result", "chunk", "done"],
      });
      return frames[2] as ServerFrame;
    };
    const isWell = async (): Promise<void> => {
      proxy.play(passTo(backend.port));
      expect(await turn("all is well")).toMatchObject({
        tool_result: { result: { orderId: "7" } },
      });
    };
    const fails = async (name: string): Promise<void> => {
      const before = await residentBytes(agent);
      expect({ name, frame: await turn(name) }).toMatchObject({
        name,
        frame: { tool_result: { error: expect.stringMatching(/^the tool/) as string } },
      });
      expect(before).toBeGreaterThan(0);
      expect((await residentBytes(agent)) - before).toBeLessThan(GROWTH_BYTES);
    };
    await isWell();
    for (const [name, fault] of Object.entries(PORT_FAULTS)) {
      proxy.play(fault);
      await fails(name);
      await isWell();
    }
    for (const [name, fault] of Object.entries(STREAM_FAULTS)) {
      await using streams = await startFaultyStreams(fault);
      proxy.play(passTo(streams.port));
      await fails(name);
      await isWell();
    }
    await backend.kill();
    await fails("a server that is gone");
    await backend.start();
    await isWell();
  });
});
