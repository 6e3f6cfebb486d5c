/** Calls of an agent's tools by hand, through a gateway: by the same servers, with the same checks as calls of a model. */
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { PromptConfig, ToolConfig } from "../../../src/agent-config/agent-config.ts";
import { GatewayClient } from "../../support/agent/gateway-client.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { aGatewaySigner } from "../../support/builders/a-gateway-signer.ts";
import { aRuntimeConfig, aTool } from "../../support/builders/agent-config.ts";
import { startHttpServer } from "../../support/processes/http-server.ts";

const OSLO = { city: "Oslo" };
const CALL = "tools/get-weather/call";

/** A server of a tool that keeps what it is sent, and can hold its answers back. */
async function aToolServer() {
  const received: { body: unknown; headers: NodeJS.Dict<string | string[]> }[] = [];
  const state = { isHeld: false, left: 0, answer: '{"degrees":21}', status: 200 };
  const server = await startHttpServer(async (request, response) => {
    received.push({ body: JSON.parse(await text(request)), headers: request.headers });
    response.once("close", () => (state.left += response.writableEnded ? 0 : 1));
    if (state.isHeld) return;
    response.statusCode = state.status;
    response.setHeader("content-type", "application/json").end(state.answer);
  });
  onTestFinished(() => server.close());
  return { received, state, url: server.url };
}

async function anAgent(
  tool: Partial<ToolConfig> = {},
  {
    prompt = {},
    files = {},
  }: {
    prompt?: Partial<PromptConfig>;
    files?: Record<string, string>;
  } = {},
) {
  const signer = aGatewaySigner();
  const server = await aToolServer();
  const tools = [aTool({ url: server.url, ...tool })];
  const agent = await TestAgent.start({
    config: {
      ...aRuntimeConfig({ provider: { baseURL: "http://127.0.0.1:9" }, prompt, tools }),
      gateway: { publicKeys: [signer.publicKey] },
    },
    replica: "helper-1",
    files: { "provider/api-key": "sk-none", ...files },
  });
  const gateway = new GatewayClient(agent.url, signer, { subject: "ann" });
  const call = (body: object, path = CALL) => gateway.request("POST", path, { body });
  const logged = () => agent.logged.filter(({ msg }) => String(msg).includes("called by hand"));
  return { agent, server, gateway, call, logged };
}

describe("a tool that is called by hand", () => {
  it("is called as a model calls it, counted, and logged without its arguments", async () => {
    const { agent, server, call, logged } = await anAgent();
    const { status, body } = await call({ arguments: OSLO, reason: "to see whether it works" });
    expect(status).toBe(200);
    expect(body).toEqual({
      result: { degrees: 21 },
      ms: expect.any(Number) as number,
      replica: "helper-1",
    });
    expect(server.received.map((each) => each.body)).toEqual([OSLO]);
    const labels = { tool: "get-weather", status: "success" };
    expect(await agent.metric("omnia_agent_tool_calls_total", labels)).toBe(1);
    expect(logged()).toMatchObject([
      { tool: "get-weather", subject: "ann", reason: "to see whether it works", failed: false },
    ]);
    expect(JSON.stringify(agent.logged)).not.toContain("Oslo");
  });

  it("may fail, which is an answer too", async () => {
    const { agent, server, call, logged } = await anAgent();
    server.state.status = 500;
    const { status, body } = await call({ arguments: OSLO });
    expect([status, body.error, body.result]).toEqual([
      200,
      expect.stringContaining("500"),
      undefined,
    ]);
    const labels = { tool: "get-weather", status: "error" };
    expect(await agent.metric("omnia_agent_tool_calls_total", labels)).toBe(1);
    expect(logged()).toMatchObject([{ failed: true }]);
  });

  it("gives no more of its answer than a model is told", async () => {
    const { server, call } = await anAgent({ responseLimit: 100 });
    server.state.answer = JSON.stringify("x".repeat(10_000));
    const { body } = await call({ arguments: OSLO });
    expect(JSON.stringify(body).length).toBeLessThan(1_000);
  });

  it("is not called with arguments that do not fit its schema", async () => {
    const { server, call } = await anAgent();
    for (const wrong of [{}, { city: 5 }]) {
      const { status, body } = await call({ arguments: wrong });
      expect([status, body.error.code]).toEqual([400, "InvalidRequest"]);
      expect(body.error.message).toContain("city");
    }
    expect(server.received).toEqual([]);
  });

  it("is not found under a name that the agent has not, which counts as no tool of its own", async () => {
    const { agent, call, server } = await anAgent();
    const { status, body } = await call({ arguments: {} }, "tools/get-time/call");
    expect([status, body.error]).toEqual([
      404,
      {
        code: "NotFound",
        message: 'the agent has no tool "get-time"',
        cure: "the tools are: get-weather",
      },
    ]);
    expect(server.received).toEqual([]);
    expect(await agent.metric("omnia_agent_tool_calls_total")).toBeUndefined();
  });

  it("is called of another prompt of the pack too", async () => {
    const clock = await aToolServer();
    const others = {
      second: {
        prompt: "second",
        system: "",
        parameters: {},
        toolChoice: "auto" as const,
        maxRounds: 1,
        maxToolCallsPerTurn: 1,
        tools: [aTool({ url: clock.url, name: "get-time", inputSchema: { type: "object" } })],
      },
    };
    const { call } = await anAgent({}, { prompt: { others } });
    expect(await call({ arguments: {} }, "tools/get-time/call")).toMatchObject({ status: 200 });
    expect(clock.received).toHaveLength(1);
  });

  it("wants a reason where it wants an approval, and the caller is who approves", async () => {
    const { server, call, logged } = await anAgent({ approval: "always" });
    for (const reason of [undefined, "", "  "]) {
      const { status, body } = await call({ arguments: OSLO, reason });
      expect([status, body.error.code]).toEqual([409, "Conflict"]);
      expect(body.error.cure).toContain("give a reason");
    }
    expect(server.received).toEqual([]);
    expect(await call({ arguments: OSLO, reason: "a test" })).toMatchObject({ status: 200 });
    expect(logged()).toMatchObject([{ subject: "ann", reason: "a test" }]);
  });

  it("wants an approval for some arguments only, where its registry says so", async () => {
    const approval = { arguments: { properties: { city: { const: "Oslo" } } } };
    const { call } = await anAgent({ approval });
    expect(await call({ arguments: OSLO })).toMatchObject({ status: 409 });
    expect(await call({ arguments: { city: "Rome" } })).toMatchObject({ status: 200 });
  });

  it("is told who calls, where its registry says so, and a session that is no session", async () => {
    const { server, call } = await anAgent(
      { forward: ["subject"], authFile: "tools/token" },
      { files: { "tools/token": "secret-of-the-tool" } },
    );
    expect(await call({ arguments: OSLO })).toMatchObject({ status: 200 });
    expect(server.received[0]?.headers).toMatchObject({
      "x-omnia-subject": "ann",
      "x-omnia-session": expect.stringMatching(/^manual-/) as string,
    });
  });

  it("is left when its caller leaves", async () => {
    const { server, gateway } = await anAgent();
    server.state.isHeld = true;
    const leaving = new AbortController();
    const asked = gateway.request("POST", CALL, {
      body: { arguments: OSLO },
      signal: leaving.signal,
    });
    await vi.waitFor(() => expect(server.received).toHaveLength(1));
    leaving.abort();
    await expect(asked).rejects.toThrow("abort");
    await vi.waitFor(() => expect(server.state.left).toBe(1));
  });

  it("is cut off when the agent ends", async () => {
    const { agent, server, call } = await anAgent();
    server.state.isHeld = true;
    const asked = call({ arguments: OSLO });
    await vi.waitFor(() => expect(server.received).toHaveLength(1));
    await agent.running.close();
    const answer = await asked.catch((error: unknown) => ({ status: String(error) }));
    expect([503, "TypeError: fetch failed"]).toContain(answer.status);
  });

  it("waits its turn no longer than the replica has room for", async () => {
    const { server, call, gateway } = await anAgent();
    server.state.isHeld = true;
    const leaving = new AbortController();
    const many = Array.from({ length: 16 }, () =>
      gateway
        .request("POST", CALL, { body: { arguments: OSLO }, signal: leaving.signal })
        .catch(() => {}),
    );
    await vi.waitFor(() => expect(server.received).toHaveLength(16));
    expect(await call({ arguments: OSLO })).toMatchObject({
      status: 429,
      body: { error: { code: "TooManyRequests" } },
    });
    expect(await gateway.get("sessions")).toMatchObject({ status: 200 });
    leaving.abort();
    await Promise.all(many);
    server.state.isHeld = false;
    await vi.waitFor(async () =>
      expect(await call({ arguments: OSLO })).toMatchObject({ status: 200 }),
    );
  });
});

describe("an agent that runs no model", () => {
  it("has no tools to call", async () => {
    const signer = aGatewaySigner();
    const agent = await TestAgent.start({
      config: { handler: "demo", gateway: { publicKeys: [signer.publicKey] } },
    });
    const gateway = new GatewayClient(agent.url, signer);
    const body = { arguments: {} };
    expect(await gateway.request("POST", "tools/weather/call", { body })).toMatchObject({
      status: 404,
      body: { error: { cure: "the tools are: none" } },
    });
  });
});
