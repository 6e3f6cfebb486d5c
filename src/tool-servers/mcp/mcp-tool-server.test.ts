import type { ServerResponse } from "node:http";
import { onTestFinished, describe, expect, it, vi } from "vitest";
import { aTool } from "../../../test/support/builders/agent-config.ts";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import {
  ADD,
  startScriptedMcpServer,
  type McpScript,
  type ScriptedMcpServer,
} from "../../../test/support/mcp/scripted-mcp-server.ts";
import type { ToolConfig } from "../../agent-config/agent-config.ts";
import { systemClock } from "../../time/clock.ts";
import type { ToolOutcome } from "../server/tool-outcome.ts";
import type { ListingServer } from "../server/read-list.ts";
import type { ToolServer } from "../server/tool-server.ts";
import { ToolServers, type ToolServersOptions } from "../tool-servers.ts";

const { signal } = new AbortController();
const SECRET = "key-of-the-tool";
const EVENTS = { "content-type": "text/event-stream" };

/** An MCP server, and what an agent makes of it. */
async function aServer(
  script: McpScript = {},
  tool: Partial<ToolConfig> = {},
  options: Partial<ToolServersOptions> = {},
) {
  const mcp = await startScriptedMcpServer(script);
  onTestFinished(() => mcp.close());
  return { mcp, ...serverAt(`${mcp.url}/mcp`, tool, options) };
}

function serverAt(
  url: string,
  tool: Partial<ToolConfig> = {},
  options: Partial<ToolServersOptions> = {},
) {
  const readSecret = () => Promise.resolve(SECRET);
  const servers = new ToolServers({
    readSecret,
    clock: systemClock,
    random: () => 0,
    ...options,
  });
  onTestFinished(() => servers.close());
  const config = aTool({ url, type: "mcp", registryName: "sums", ...tool });
  const server = servers.of(config) as ListingServer;
  return { server, servers, config };
}

function call(server: ToolServer, name = "add", timeoutMs = 5_000): Promise<ToolOutcome> {
  return server.call(name, { a: 1, b: 2 }, { signal, timeoutMs });
}

/** The names of what is offered. */
async function namesOf(server: ToolServer): Promise<string[]> {
  return (await server.list(signal)).map(({ name }) => name);
}

/** Lists within each other. */
function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = [value];
  return { deep: value };
}

describe("the list of an MCP server", () => {
  it("has the tools with their descriptions and schemas", async () => {
    const { server } = await aServer();
    expect(await server.list(signal)).toEqual([ADD]);
  });

  it("leaves out a tool that cannot be offered, and keeps the others", async () => {
    const broken = [null, {}, { name: 3 }, { name: "x", inputSchema: { type: "string" } }, "tool"];
    const plain = { name: "plain", description: 7, icons: "none", annotations: [] };
    const { server } = await aServer({ tools: () => [...broken, ADD, plain, ADD] });
    expect(await server.list(signal)).toEqual([
      ADD,
      { name: "plain", description: "plain", inputSchema: { type: "object" } },
    ]);
    expect(await server.readList(signal)).toMatchObject({
      state: "read",
      unsupported: [{ name: "a tool without a name" }, { name: "x" }],
    });
  });

  it("is read page by page, and not for ever", async () => {
    const { server, mcp } = await aServer({
      instead: (message, response) => {
        if (message.method !== "tools/list") return false;
        const { cursor = "0" } = (message.params ?? {}) as { cursor?: string };
        const tools = [{ ...ADD, name: `add-${cursor}` }];
        const nextCursor = cursor === "3" ? "2" : String(Number(cursor) + 1);
        response.writeHead(200, { "content-type": "application/json" });
        const result = { tools, nextCursor };
        response.end(JSON.stringify({ jsonrpc: "2.0", id: message.id, result }));
        return true;
      },
    });
    expect(await namesOf(server)).toEqual(["add-0", "add-1", "add-2", "add-3"]);
    expect(mcp.received.filter(({ method }) => method === "tools/list").length).toBeLessThan(7);
  });

  it("has the tools that are allowed and not blocked", async () => {
    const tools = () => ["add", "add-all", "sub", "drop"].map((name) => ({ ...ADD, name }));
    const chosen = async (tool: Partial<ToolConfig>) =>
      namesOf((await aServer({ tools }, tool)).server);
    expect(await chosen({ allow: ["sub", "add"] })).toEqual(["add", "sub"]);
    expect(await chosen({ allow: ["add_all"] })).toEqual(["add-all"]);
    expect(await chosen({ block: ["add_all", "sums_drop"] })).toEqual(["add", "sub"]);
    expect(await chosen({ allow: ["add", "sub"], block: ["sub"] })).toEqual(["add"]);
    expect(await chosen({ allow: [] })).toEqual([]);
  });

  it("is followed when the server says that it has changed", async () => {
    let tools = [ADD];
    const { server, mcp } = await aServer({ tools: () => tools });
    expect(await namesOf(server)).toEqual(["add"]);
    tools = [ADD, { ...ADD, name: "sub" }];
    expect(await namesOf(server)).toEqual(["add"]);
    await mcp.notify({ method: "notifications/tools/list_changed" });
    await vi.waitFor(async () => expect(await namesOf(server)).toEqual(["add", "sub"]));
  });

  it("is read again when a call says that the tool is unknown", async () => {
    let tools = [ADD];
    const { server } = await aServer({
      tools: () => tools,
      call: () => ({ isError: true, content: [{ type: "text", text: "Unknown tool: add" }] }),
    });
    expect(await namesOf(server)).toEqual(["add"]);
    tools = [{ ...ADD, name: "sum" }];
    expect(await call(server)).toEqual({ error: "Unknown tool: add" });
    expect(await namesOf(server)).toEqual(["sum"]);
  });

  it("is read again after a while, and the list before serves while the server does not answer", async () => {
    const clock = new ManualClock();
    let isSilent = false;
    const warnings: unknown[] = [];
    const log = { debug() {}, info() {}, record() {}, error() {}, child: () => log, warn };
    function warn(fields: object, message: string) {
      warnings.push({ ...fields, message });
    }
    const instead: McpScript["instead"] = ({ method }) => isSilent && method === "tools/list";
    const { server, mcp } = await aServer({ instead }, {}, { clock, log });
    const lists = () => mcp.received.filter(({ method }) => method === "tools/list").length;
    expect(await namesOf(server)).toEqual(["add"]);
    await clock.advance(299_000);
    await namesOf(server);
    expect(lists()).toBe(1);
    isSilent = true;
    await clock.advance(2_000);
    const waiting = namesOf(server);
    await vi.waitFor(() => expect(lists()).toBe(2));
    await clock.advance(3_000);
    expect(await waiting).toEqual(["add"]);
    await clock.advance(18_000);
    await vi.waitFor(() =>
      expect(warnings).toEqual([
        {
          tool: "sums",
          reason: "the tool did not answer within 20 seconds",
          message:
            "The tools of an MCP server could not be listed; turns go on with those known before",
        },
      ]),
    );
  });

  it("is empty when the server was never reached, and its reading says why", async () => {
    const { server } = serverAt("http://127.0.0.1:1/mcp");
    expect(await server.list(signal)).toEqual([]);
    expect(await server.readList(signal)).toEqual({
      state: "failed",
      reason: "Unreachable",
      message: "the tool could not be reached: the connection was refused",
    });
  });
});

describe("a call of an MCP tool", () => {
  it("sends the arguments, and answers the text", async () => {
    const { server, mcp } = await aServer();
    expect(await call(server)).toEqual({ result: "3" });
    expect(mcp.calls).toEqual([
      expect.objectContaining({ name: "add", arguments: { a: 1, b: 2 } }),
    ]);
  });

  it("answers the structured content in place of the text, whatever the tool's schema says of it", async () => {
    const outputSchema = { type: "object", required: ["total"] };
    const { server } = await aServer({
      tools: () => [{ ...ADD, outputSchema }],
      call: () => ({ content: [{ type: "text", text: "3" }], structuredContent: { sum: 3 } }),
    });
    await server.list(signal);
    expect(await call(server)).toEqual({ result: { sum: 3 } });
  });

  it.each<[string, unknown[], unknown]>([
    ["nothing", [], null],
    [
      "an image",
      [{ type: "image", mimeType: "image/png", data: "A".repeat(16_000) }],
      "[image/png, 12 kB, not shown]",
    ],
    [
      "a sound",
      [{ type: "audio", mimeType: "audio/wav", data: "AAAA" }],
      "[audio/wav, 1 kB, not shown]",
    ],
    ["a text resource", [{ type: "resource", resource: { uri: "a:b", text: "words" } }], "words"],
    [
      "another resource",
      [{ type: "resource", resource: { uri: "a:b", blob: "AAAA", mimeType: "a/b" } }],
      "[a/b, 1 kB, not shown]",
    ],
    [
      "a link",
      [{ type: "resource_link", uri: "demo://1", name: "one" }],
      "[link to a resource: one, demo://1]",
    ],
    ["what nobody knows", [{ type: "hologram" }], "[hologram, not shown]"],
    ["what is no content", [null, 3, { text: "x" }, { type: "text", text: 7 }], null],
    [
      "several texts",
      [
        { type: "text", text: "a" },
        { type: "text", text: "b" },
      ],
      "a\nb",
    ],
  ])("shows %s as text", async (_what, content, result) => {
    const { server } = await aServer({ call: () => ({ content }) });
    expect(await call(server)).toEqual({ result });
  });

  it.each<[string, unknown, unknown]>([
    ["a list", [1, { a: 2 }], '[1,{"a":2}]'],
    ["a text", "three", '"three"'],
    ["a number", 3, "3"],
    ["null", null, "the text"],
    ["nested deep", nested(150), JSON.stringify(nested(150))],
    ["nested very deep", nested(5_000), JSON.stringify(nested(5_000))],
  ])("shows structured content that is %s as text", async (_what, structuredContent, result) => {
    const { server } = await aServer({
      call: () => ({ content: [{ type: "text", text: "the text" }], structuredContent }),
    });
    expect(await call(server)).toEqual({ result });
  });

  it("answers no more than the registry allows", async () => {
    const answers = [
      { content: [{ type: "text", text: "ö".repeat(1_000) }] },
      { content: [], structuredContent: { text: "x".repeat(2_000) } },
    ];
    const { server } = await aServer({ call: () => answers.shift() }, { responseLimit: 1_025 });
    expect(await call(server)).toEqual({
      result: `${"ö".repeat(512)}\n[cut off after 1025 bytes]`,
    });
    expect(await call(server)).toEqual({
      result: expect.stringMatching(/^\{"text":"x{1016}\n\[cut off after 1025 bytes\]$/) as string,
    });
  });

  it("is an error when the tool says so, without its addresses", async () => {
    const said = "connect ECONNREFUSED 10.1.2.3:5432 at http://db.internal/x and [::1]:80";
    const { server } = await aServer({
      call: () => ({ isError: true, content: [{ type: "text", text: said }] }),
    });
    expect(await call(server)).toEqual({
      error: "connect ECONNREFUSED [address] at [address] and [address]",
    });
  });

  it("is an error when the server answers with one", async () => {
    const { server } = await aServer({
      call: (_params, response, id) => {
        const error = { code: -32602, message: "Bad a, see https://tools.internal/add" };
        response.writeHead(200, { "content-type": "application/json" });
        response.end(JSON.stringify({ jsonrpc: "2.0", id, error }));
      },
    });
    expect(await call(server)).toEqual({ error: "Bad a, see [address]" });
  });

  it("sends the credential and the headers, and hides the credential in the answer", async () => {
    const { server, mcp } = await aServer(
      { call: () => ({ content: [{ type: "text", text: `you sent Bearer ${SECRET}` }] }) },
      { authFile: "tools/sums/key", headers: { "x-team": "a", "content-type": "text/plain" } },
    );
    expect(await call(server)).toEqual({ result: "you sent Bearer [redacted]" });
    for (const { headers } of mcp.received) {
      expect(headers).toMatchObject({
        authorization: `Bearer ${SECRET}`,
        "x-team": "a",
        "content-type": "application/json",
      });
    }
  });

  it("is not made when the credential cannot be read", async () => {
    const readSecret = () => Promise.reject(new Error("gone"));
    const { server, mcp } = await aServer({}, { authFile: "key" }, { readSecret });
    expect(await call(server)).toEqual({ error: "the tool's credentials could not be read" });
    expect(mcp.received).toEqual([]);
  });

  it("is not made to an address that tools may not have", async () => {
    const { server, mcp } = await aServer({}, { allowedAddresses: ["private"] });
    expect(await call(server)).toEqual({
      error: "the tool could not be reached: its address is not allowed for tools",
    });
    expect(mcp.received).toEqual([]);
  });

  it("ends when it takes too long, and the server is told", async () => {
    const { server, mcp } = await aServer({ call: () => undefined });
    await server.list(signal);
    expect(await call(server, "add", 300)).toEqual({
      error: "the tool did not answer within 0.3 seconds",
    });
    await vi.waitFor(() =>
      expect(mcp.received.map(({ method }) => method)).toContain("notifications/cancelled"),
    );
  });

  it("ends with the turn", async () => {
    const { server } = await aServer({ call: () => undefined });
    await server.list(signal);
    const turn = new AbortController();
    const calling = server.call("add", {}, { signal: turn.signal, timeoutMs: 60_000 });
    turn.abort(new Error("cancelled"));
    await expect(calling).rejects.toThrow("cancelled");
  });
});

describe("a session that an MCP server has lost", () => {
  it.each([404, 400])(
    "is begun again once for all calls that wait, after HTTP %s",
    async (status) => {
      const { server, mcp } = await aServer({ unknownSessionStatus: status });
      expect(await call(server)).toEqual({ result: "3" });
      mcp.forgetSessions();
      const outcomes = await Promise.all(Array.from({ length: 10 }, () => call(server)));
      expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome)))).toEqual(
        new Set(['{"result":"3"}']),
      );
      expect(outcomes.length).toBe(10);
      expect(mcp.sessions).toBe(2);
    },
  );

  it("is begun again only once for a call", async () => {
    const { server, mcp } = await aServer({
      instead: ({ method }, response) => {
        if (method !== "tools/call") return false;
        response.writeHead(404).end();
        return true;
      },
    });
    expect(await call(server)).toEqual({ error: "the tool answered HTTP 404" });
    expect(mcp.sessions).toBe(2);
    expect(mcp.calls.length).toBe(2);
  });
});

describe("a server that is no good MCP server", () => {
  const big = JSON.stringify({ jsonrpc: "2.0", id: 1, result: { text: "x".repeat(10_000_000) } });
  const faults: [string, (response: ServerResponse, id: unknown) => void, string][] = [
    [
      "a page in HTML",
      (r) => r.writeHead(200, { "content-type": "text/html" }).end("<p>10.0.0.1</p>"),
      "the tool answered what is no answer of an MCP server",
    ],
    [
      "half JSON",
      (r) => r.writeHead(200, { "content-type": "application/json" }).end('{"jsonrpc":"2.0","re'),
      "the tool answered what is no answer of an MCP server",
    ],
    [
      "half JSON in an event",
      (r) => r.writeHead(200, EVENTS).end('data: {"jsonrpc":"2.0","re\n\n'),
      "the tool broke off in the middle of its answer",
    ],
    [
      "an empty stream",
      (r) => r.writeHead(200, EVENTS).end(),
      "the tool broke off in the middle of its answer",
    ],
    ["202", (r) => r.writeHead(202).end(), "the tool broke off in the middle of its answer"],
    ["204", (r) => r.writeHead(204).end(), "the tool answered what is no answer of an MCP server"],
    [
      "an answer to another request",
      (r) =>
        r
          .writeHead(200, { "content-type": "application/json" })
          .end('{"jsonrpc":"2.0","id":987,"result":{}}'),
      "the tool broke off in the middle of its answer",
    ],
    ["500", (r) => r.writeHead(500).end("stack at 10.0.0.1"), "the tool answered HTTP 500"],
    ["401", (r) => r.writeHead(401).end("no"), "the tool answered HTTP 401"],
    ["403", (r) => r.writeHead(403).end("no"), "the tool answered HTTP 403"],
    [
      "a redirect to another origin",
      (r) => r.writeHead(307, { location: "http://169.254.169.254/" }).end(),
      "the tool redirects to another address, which is not followed",
    ],
    [
      "10 MB",
      (r) => r.writeHead(200, { "content-type": "application/json" }).end(big),
      "the tool's answer is too large",
    ],
    [
      "10 MB in an event",
      (r) => r.writeHead(200, EVENTS).end(`data: ${big}\n\n`),
      "the tool's answer is too large",
    ],
    [
      "the end of the connection",
      (r) => r.destroy(),
      "the tool could not be reached: the connection was broken off",
    ],
    [
      "the end of the connection in an event",
      (r) => void r.writeHead(200, EVENTS).write("data: {", () => r.destroy()),
      "the tool broke off in the middle of its answer",
    ],
  ];

  it.each(faults)(
    "answers a call with %s, and the call says so within 2 s",
    async (_what, fault, error) => {
      let isFaulty = true;
      const { server, mcp } = await aServer({
        instead: ({ method, id }, response) => {
          if (method !== "tools/call" || !isFaulty) return false;
          fault(response, id);
          return true;
        },
      });
      await server.list(signal);
      const before = performance.now();
      expect(await call(server, "add", 30_000)).toEqual({ error });
      expect(performance.now() - before).toBeLessThan(2_000);
      isFaulty = false;
      expect(await call(server)).toEqual({ result: "3" });
      expect(mcp.calls.length).toBeLessThanOrEqual(3);
    },
  );

  it.each(faults)("answers everything with %s, and the list says so", async (_what, fault) => {
    const { server } = await aServer({
      instead: ({ id }, response) => {
        fault(response, id);
        return true;
      },
    });
    const reading = await server.readList(signal);
    expect(reading).toMatchObject({ state: "failed", reason: "Unreachable" });
    expect(JSON.stringify(reading)).not.toMatch(/\d+\.\d+\.\d+\.\d+|jsonrpc|xxxx|<p>/);
  });
});

describe("the client of an MCP server", () => {
  const sessionsAfter = (mcp: ScriptedMcpServer) => mcp.sessions;

  it("is one for all prompts and sessions", async () => {
    const { server, servers, config, mcp } = await aServer();
    const canary = servers.of({ ...config, allow: ["add"], description: "of the canary" });
    await Promise.all([call(server), call(canary), server.list(signal), canary.list(signal)]);
    expect(sessionsAfter(mcp)).toBe(1);
  });

  it("is closed while it connects, without waiting for the server", async () => {
    const asked = Promise.withResolvers<void>();
    const { server, servers } = await aServer({
      instead: () => {
        asked.resolve();
        return true;
      },
    });
    const calling = call(server);
    await asked.promise;
    const before = performance.now();
    await servers.close();
    expect(performance.now() - before).toBeLessThan(2_000);
    expect(await calling).toHaveProperty("error");
  });

  it("is closed when nobody used it for a while, and opened again", async () => {
    const clock = new ManualClock();
    const { server, mcp } = await aServer({}, {}, { clock });
    expect(await call(server)).toEqual({ result: "3" });
    await clock.advance(11 * 60_000);
    expect(await call(server)).toEqual({ result: "3" });
    expect(sessionsAfter(mcp)).toBe(2);
  });
});
