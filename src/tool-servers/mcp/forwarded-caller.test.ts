import { describe, expect, it, onTestFinished } from "vitest";
import { aTool } from "../../../test/support/builders/agent-config.ts";
import {
  type McpScript,
  startScriptedMcpServer,
} from "../../../test/support/mcp/scripted-mcp-server.ts";
import type { ToolConfig } from "../../agent-config/agent-config.ts";
import { systemClock } from "../../time/clock.ts";
import { callerHeaders, type ToolCaller } from "../server/tool-caller.ts";
import { ToolServers } from "../tool-servers.ts";

const NOW = Date.UTC(2026, 0, 1);
const CREDENTIAL = "key-of-the-tool";
const ALICE: ToolCaller = { subject: "alice", sessionId: "session-a" };
const BOB: ToolCaller = { subject: "bob", sessionId: "session-b" };

async function aServer(script: McpScript = {}, more: Partial<ToolConfig> = {}) {
  const mcp = await startScriptedMcpServer(script);
  onTestFinished(() => mcp.close());
  const servers = new ToolServers({
    readSecret: () => Promise.resolve(CREDENTIAL),
    clock: { ...systemClock, now: () => NOW },
    random: () => 0,
  });
  onTestFinished(() => servers.close());
  const tool = aTool({ url: mcp.url, type: "mcp", authFile: "token", ...more });
  const server = servers.of(tool);
  const { signal } = new AbortController();
  const call = (caller: ToolCaller) =>
    server.call("add", { of: caller.subject }, { signal, timeoutMs: 5_000, caller });
  return { mcp, server, call, signal };
}

/** What each request told of its caller, and what it should have told of this one. */
function toldAndExpected(
  { received }: Awaited<ReturnType<typeof aServer>>["mcp"],
  { method, caller }: { method: string; caller: ToolCaller },
) {
  const requests = received.filter(
    (each) =>
      each.method === method &&
      JSON.stringify(each.params).includes(JSON.stringify(caller.subject)),
  );
  return requests.map(({ headers, ...message }) => {
    const told = Object.entries(headers).filter(([name]) => name.startsWith("x-omnia-"));
    const body = JSON.stringify(message);
    const made = callerHeaders(caller, { credential: CREDENTIAL, body, now: NOW });
    return [Object.fromEntries(told), "headers" in made ? made.headers : made];
  });
}

describe("an MCP server that asks for the caller", () => {
  it("is told with each call, signed over the message, though all callers share one session", async () => {
    const { mcp, call } = await aServer({}, { forward: ["subject"] });
    await Promise.all([call(ALICE), call(BOB), call(ALICE)]);
    expect(mcp.sessions).toBe(1);
    for (const [caller, times] of [
      [ALICE, 2],
      [BOB, 1],
    ] as const) {
      const pairs = toldAndExpected(mcp, { method: "tools/call", caller });
      expect(pairs).toHaveLength(times);
      for (const [told, expected] of pairs) expect(told).toEqual(expected);
    }
  });

  it("is told of nobody when it is asked for its tools", async () => {
    const { mcp, server, call, signal } = await aServer({}, { forward: ["subject"] });
    await call(ALICE);
    await server.list(signal);
    const others = mcp.received.filter(({ method }) => method !== "tools/call");
    expect(others.map(({ method }) => method)).toContain("tools/list");
    expect(JSON.stringify(others)).not.toContain("x-omnia-");
  });

  it("is told of nobody when it does not ask", async () => {
    const { mcp, call } = await aServer({}, { headers: { "X-Omnia-Subject": "admin" } });
    await call(ALICE);
    expect(JSON.stringify(mcp.received)).not.toContain("x-omnia-");
  });

  it("cannot give the signature away in its answer", async () => {
    const { mcp, call } = await aServer(
      {
        call: (_, response) => ({
          content: [{ type: "text", text: JSON.stringify(response.req.headers) }],
        }),
      },
      { forward: ["subject"] },
    );
    const outcome = JSON.stringify(await call(ALICE));
    const [request] = mcp.received.filter(({ method }) => method === "tools/call");
    const signature = String(request?.headers["x-omnia-signature"]).slice("v1=".length);
    expect(signature).toHaveLength(64);
    expect(outcome).toContain("session-a");
    expect(outcome).not.toContain(signature);
    expect(outcome).not.toContain(CREDENTIAL);
  });

  it("is not called without a credential", async () => {
    const { mcp, call } = await aServer({}, { forward: ["subject"], authFile: undefined });
    expect(await call(ALICE)).toHaveProperty("error");
    expect(mcp.calls).toEqual([]);
  });
});
