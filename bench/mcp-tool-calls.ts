/** The CPU time of one call of a tool of an MCP server of 50 tools, 20 at a time, in the process that calls, against a bare `fetch`. */
import { aTool } from "../test/support/builders/agent-config.ts";
import { ToolServers } from "../src/tool-servers/tool-servers.ts";
import { systemClock } from "../src/time/clock.ts";
import type { Measurement } from "./bench.ts";
import { MeasuredProcess } from "./measured-process.ts";
import { measureCalls } from "./measure-calls.ts";

const PARALLEL = 20;
const WARM_UP_CALLS = 1_000;
const CALLS = 2_000;
const TARGET_MS = 1;

export async function measureMcpToolCalls(): Promise<Measurement[]> {
  await using server = await MeasuredProcess.start("bare-mcp-server.ts");
  const url = `http://127.0.0.1:${server.port}/mcp`;
  const tool = aTool({ url, type: "mcp", authFile: "key", allowedAddresses: ["loopback"] });
  const servers = new ToolServers({
    readSecret: () => Promise.resolve("key-of-the-tool"),
    clock: systemClock,
    random: Math.random,
  });
  const { signal } = new AbortController();
  const tools = await servers.of(tool).list(signal);
  const callTool = async (id: number): Promise<void> => {
    const { name = "" } = tools[id % tools.length] ?? {};
    const options = { signal, timeoutMs: tool.timeoutMs };
    const outcome = await servers.of(tool).call(name, { city: "Oslo" }, options);
    if ("error" in outcome) throw new Error(outcome.error);
  };
  const headers = { "content-type": "application/json", "mcp-session-id": "one" };
  const callBare = async (id: number): Promise<void> => {
    const params = { name: "tool-1", arguments: { city: "Oslo" } };
    const body = JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params });
    const response = await fetch(url, { method: "POST", headers, body });
    await response.text();
  };
  const measurement = await measureCalls({
    what: "CPU of a call of an MCP tool",
    call: callTool,
    bare: callBare,
    bareName: "a bare fetch",
    parallel: PARALLEL,
    warmUpCalls: WARM_UP_CALLS,
    calls: CALLS,
    targetMs: TARGET_MS,
  });
  await servers.close();
  return [measurement];
}
