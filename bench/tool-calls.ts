/** The CPU time of one call of an HTTP tool in the process that calls, against a bare `fetch` of the same. */
import { aTool } from "../test/support/builders/agent-config.ts";
import { ToolServers } from "../src/tool-servers/tool-servers.ts";
import { systemClock } from "../src/time/clock.ts";
import type { Measurement } from "./bench.ts";
import { MeasuredProcess } from "./measured-process.ts";
import { median } from "./median.ts";

const WARM_UP_CALLS = 1_000;
const CALLS = 2_000;
const ROUNDS = 5;
const TARGET_MS = 0.5;

export async function measureToolCalls(): Promise<Measurement[]> {
  await using server = await MeasuredProcess.start("bare-tool-server.ts");
  const url = `http://127.0.0.1:${server.port}`;
  const tool = aTool({
    url: `${url}/orders/{id}`,
    authFile: "key",
    allowedAddresses: ["loopback"],
  });
  const servers = new ToolServers({
    readSecret: () => Promise.resolve("key-of-the-tool"),
    clock: systemClock,
    random: Math.random,
  });
  const { signal } = new AbortController();
  const callTool = async (id: number): Promise<void> => {
    const options = { signal, timeoutMs: tool.timeoutMs };
    const outcome = await servers.of(tool).call(tool.name, { id, city: "Oslo" }, options);
    if ("error" in outcome) throw new Error(outcome.error);
  };
  const callBare = async (id: number): Promise<void> => {
    const response = await fetch(`${url}/orders/${id}`, { method: "POST", body: "{}" });
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
  const ofTool = median(rounds.map((round) => round.tool));
  const ofBare = median(rounds.map((round) => round.bare));
  return [
    {
      what: "CPU of a call of an HTTP tool",
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
  for (let id = 1; id <= calls; id += 1) await call(id);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / calls;
}
