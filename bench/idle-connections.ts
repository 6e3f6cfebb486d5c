/** What an idle connection keeps in memory, and whether every one of many is pinged in time. */
import { setTimeout as delay } from "node:timers/promises";
import type { Measurement } from "./bench.ts";
import { connectMany } from "./idle-clients.ts";
import { MeasuredProcess } from "./measured-process.ts";

const CONNECTIONS = 10_000;
const TARGET_KILOBYTES = 12;
/** Two pings of each client, and time to miss one. */
const WATCH_MS = 65_000;
const PINGS = 2;

export async function measureIdleConnections(): Promise<Measurement[]> {
  await using agent = await MeasuredProcess.startAgent({ handler: "echo" });
  // What is made once, for the first connections, is no cost of each.
  for (const { socket } of await connectMany(agent.port, 1_000)) socket.destroy();
  await delay(5_000);
  const before = await agent.residentMegabytes();
  const started = performance.now();
  const clients = await connectMany(agent.port, CONNECTIONS);
  const seconds = (performance.now() - started) / 1_000;
  const cpuBefore = await agent.cpuSeconds();
  await delay(WATCH_MS);
  const cpu = ((await agent.cpuSeconds()) - cpuBefore) / (WATCH_MS / 1_000);
  const after = await agent.residentMegabytes();
  const kept = clients.filter(({ socket, pings }) => !socket.closed && pings >= PINGS).length;
  for (const { socket } of clients) socket.destroy();
  const kilobytes = ((after - before) * 1_024) / CONNECTIONS;
  return [
    {
      what: `Resident memory of one of ${CONNECTIONS} idle connections`,
      measured: `${after.toFixed(1)} MB`,
      floor: `${before.toFixed(1)} MB (none)`,
      result: `${kilobytes.toFixed(1)} KB`,
      target: `< ${TARGET_KILOBYTES} KB`,
      withinTarget: kilobytes < TARGET_KILOBYTES,
    },
    {
      what: "Idle connections that were pinged in time, and kept",
      measured: `${kept}, at ${(cpu * 100).toFixed(1)} % of a core`,
      floor: `${CONNECTIONS}, made in ${seconds.toFixed(1)} s`,
      result: `${CONNECTIONS - kept} missed`,
      target: "0 missed",
      withinTarget: kept === CONNECTIONS,
    },
  ];
}
