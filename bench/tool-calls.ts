/** The CPU time of one call of an HTTP tool in the process that calls, against a bare `fetch` of the same. */
import { aTool } from "../test/support/builders/agent-config.ts";
import { ToolServers } from "../src/tool-servers/tool-servers.ts";
import { systemClock } from "../src/time/clock.ts";
import type { Measurement } from "./bench.ts";
import { MeasuredProcess } from "./measured-process.ts";
import { measureCalls } from "./measure-calls.ts";

const WARM_UP_CALLS = 1_000;
const CALLS = 2_000;
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
  const measurement = await measureCalls({
    what: "CPU of a call of an HTTP tool",
    call: callTool,
    bare: callBare,
    bareName: "a bare fetch",
    parallel: 1,
    warmUpCalls: WARM_UP_CALLS,
    calls: CALLS,
    targetMs: TARGET_MS,
  });
  return [measurement];
}
