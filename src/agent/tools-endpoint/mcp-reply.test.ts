import { describe, expect, it } from "vitest";
import { replyTo, type BoundTools } from "./mcp-reply.ts";

const TOOL = { name: "add", description: "Adds", inputSchema: { type: "object" } };
const META = { _meta: { "io.modelcontextprotocol/protocolVersion": "2026-07-28" } };

function tools(call: BoundTools["call"] = () => Promise.resolve({ result: 3 })): BoundTools {
  return { list: () => Promise.resolve([TOOL]), call };
}

async function replyOf(message: object, bound = tools()) {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 7, ...message });
  return await replyTo(body, bound);
}

async function resultOf(method: string, params: object = {}, bound = tools()): Promise<object> {
  const { status, body } = await replyOf({ method, params }, bound);
  expect(status).toBe(200);
  expect(body).toMatchObject({ jsonrpc: "2.0", id: 7 });
  return (body as { result: object }).result;
}

describe("a client that begins with initialize", () => {
  it.each([
    ["2025-06-18", "2025-06-18"],
    ["2030-01-01", "2025-11-25"],
    [undefined, "2025-11-25"],
  ])("that asks for %s gets %s", async (asked, protocolVersion) => {
    const params = asked === undefined ? {} : { protocolVersion: asked };
    expect(await resultOf("initialize", params)).toMatchObject({
      protocolVersion,
      capabilities: { tools: {} },
    });
  });

  it("gets plain results", async () => {
    expect(await resultOf("tools/list")).toEqual({ tools: [TOOL] });
    expect(await resultOf("tools/call", { name: "add" })).toEqual({
      content: [{ type: "text", text: "3" }],
    });
    expect(await resultOf("ping")).toEqual({});
  });
});

describe("a client that says its version in each message", () => {
  it("finds out what is spoken, and gets complete results", async () => {
    expect(await resultOf("server/discover", META)).toMatchObject({
      supportedVersions: ["2026-07-28"],
      resultType: "complete",
      ttlMs: 0,
      cacheScope: "private",
    });
    expect(await resultOf("tools/list", META)).toMatchObject({
      tools: [TOOL],
      resultType: "complete",
      ttlMs: 0,
    });
    const result = await resultOf("tools/call", { ...META, name: "add" });
    expect(result).toMatchObject({ resultType: "complete" });
    expect(result).not.toHaveProperty("ttlMs");
  });

  it("learns which version is spoken", async () => {
    const params = { _meta: { "io.modelcontextprotocol/protocolVersion": "2031-01-01" } };
    expect(await replyOf({ method: "tools/list", params })).toMatchObject({
      status: 400,
      body: { error: { code: -32_022, data: { supported: ["2026-07-28"] } } },
    });
  });
});

describe("a call", () => {
  it("hands its arguments on as JSON, and an empty object where it has none", async () => {
    const called: [name: string, input: string][] = [];
    const bound = tools((...call) => {
      called.push(call);
      return Promise.resolve({ result: "three" });
    });
    const result = await resultOf("tools/call", { name: "add", arguments: { a: [1, 2] } }, bound);
    await resultOf("tools/call", { name: "add" }, bound);
    expect(called).toEqual([
      ["add", '{"a":[1,2]}'],
      ["add", "{}"],
    ]);
    expect(result).toEqual({ content: [{ type: "text", text: "three" }] });
  });

  it("that fails is a result that says so", async () => {
    const bound = tools(() => Promise.resolve({ error: "there is no tool" }));
    expect(await resultOf("tools/call", { name: "nope" }, bound)).toEqual({
      content: [{ type: "text", text: "there is no tool" }],
      isError: true,
    });
  });
});

describe("what is refused", () => {
  it.each([
    ["an unknown method", { method: "resources/list" }, 200, -32_601],
    ["a call of nothing", { method: "tools/call" }, 200, -32_602],
  ])("%s", async (_, message, status, code) => {
    expect(await replyOf(message)).toMatchObject({ status, body: { id: 7, error: { code } } });
  });

  it.each(["", "{", "[]", '{"jsonrpc":"1.0","id":1,"method":"ping"}', '{"jsonrpc":"2.0","id":1}'])(
    "the body %j",
    async (body) => {
      expect(await replyTo(body, tools())).toMatchObject({
        status: 400,
        body: { error: { code: -32_700 } },
      });
    },
  );

  it("is nothing of a notification, which has no answer", async () => {
    const body = JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" });
    expect(await replyTo(body, tools())).toEqual({ status: 202, body: undefined });
  });
});
