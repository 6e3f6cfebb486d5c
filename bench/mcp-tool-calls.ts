/** The CPU time of one call of a tool of an MCP server of 50 tools, 20 at a time, in the process that calls, against a bare `fetch`. */
import { aTool } from "../test/support/builders/agent-config.ts";
import { ToolServers } from "../src/tool-servers/tool-servers.ts";
import { systemClock } from "../src/time/clock.ts";
import type { Measurement } from "./bench.ts";
import { MeasuredProcess } from "./measured-process.ts";
import { median } from "./median.ts";

const PARALLEL = 20;
const WARM_UP_CALLS = 1_000;
const CALLS = 2_000;
const ROUNDS = 5;
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
  await millisecondsOf(callTool, WARM_UP_CALLS);
  await millisecondsOf(callBare, WARM_UP_CALLS);
  const rounds: { tool: number; bare: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    rounds.push({
      tool: await millisecondsOf(callTool, CALLS),
      bare: await millisecondsOf(callBare, CALLS),
    });
  }
  await servers.close();
  const ofTool = median(rounds.map((round) => round.tool));
  const ofBare = median(rounds.map((round) => round.bare));
  return [
    {
      what: "CPU of a call of an MCP tool",
      measured: `${ofTool.toFixed(3)} ms`,
      floor: `${ofBare.toFixed(3)} ms (a bare fetch)`,
      result: `${ofTool.toFixed(3)} ms, ${(ofTool / ofBare).toFixed(2)} times the floor`,
      target: `≤ ${TARGET_MS} ms`,
      withinTarget: ofTool <= TARGET_MS,
    },
  ];
}

async function millisecondsOf(call: (id: number) => Promise<void>, calls: number): Promise<number> {
  const before = process.cpuUsage();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < calls) await call((next += 1));
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / calls;
}
