/**
 * What a gateway adds to a streamed turn: its own CPU time beside that of the agent in the same turns, so that other work on the machine
 * counts little. And what an idle connection through it keeps in its memory.
 */
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { Measurement } from "./bench.ts";
import { connectMany } from "./idle-clients.ts";
import { MeasuredProcess } from "./measured-process.ts";
import { median } from "./median.ts";
import { runtimeConfig } from "./runtime-config.ts";
import { TurnClient } from "./turn-client.ts";

/** 100 streams of 50 chunks a second, as models send them. */
const STREAMS = 100;
const CHUNKS = 250;
const INTERVAL_MS = 20;
const WARM_UP_TURNS = 2;
const ROUNDS = 5;
const TARGET_PERCENT = 10;
const TARGET_RATIO = 1.3;

const MOST_CONNECTIONS = 10_000;
/** Open files of a gateway besides the two of each connection. */
const OTHER_FILES = 1_000;
const TARGET_KILOBYTES = 10;
/** What is made once, for the first connections, is no cost of each. */
const FIRST_CONNECTIONS = 1_000;
const SETTLE_MS = 5_000;

export async function measureGateway(): Promise<Measurement[]> {
  return [await measureIdleConnections(), ...(await measureStreams())];
}

async function measureStreams(): Promise<Measurement[]> {
  await using provider = await MeasuredProcess.start("stream-server.ts");
  const baseURL = `http://127.0.0.1:${provider.port}/${CHUNKS}x${INTERVAL_MS}/v1`;
  await using agent = await MeasuredProcess.startAgent(runtimeConfig(baseURL), { key: "no-key" });
  await using gateway = await MeasuredProcess.start("gateway-server.ts", [String(agent.port)]);
  await using pipe = await MeasuredProcess.start("bare-pipe-server.ts", [String(agent.port)]);
  for (const front of [gateway, pipe]) await stream(front, WARM_UP_TURNS);
  const rounds: { gateway: number; agent: number; pipe: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const through = await microsecondsPerChunk(gateway, agent);
    rounds.push({
      gateway: through.front,
      agent: through.agent,
      pipe: (await microsecondsPerChunk(pipe, agent)).front,
    });
  }
  const percent = median(rounds.map((round) => (100 * round.gateway) / round.agent));
  const ratio = median(rounds.map((round) => round.gateway / round.pipe));
  const what = `CPU of a gateway for a chunk, ${STREAMS} streams of ${1_000 / INTERVAL_MS} chunks/s`;
  const measured = `${median(rounds.map((round) => round.gateway)).toFixed(1)} µs`;
  return [
    {
      what: `${what}, beside the agent's`,
      measured,
      floor: `${median(rounds.map((round) => round.agent)).toFixed(1)} µs (the agent, for the same chunks)`,
      result: `${percent.toFixed(1)} % more`,
      target: `< ${TARGET_PERCENT} %`,
      withinTarget: percent < TARGET_PERCENT,
    },
    {
      what: `${what}, beside that of a bare pipe`,
      measured,
      floor: `${median(rounds.map((round) => round.pipe)).toFixed(1)} µs (two sockets piped into each other)`,
      result: `${ratio.toFixed(2)} times the floor`,
      target: `≤ ${TARGET_RATIO}`,
      withinTarget: ratio <= TARGET_RATIO,
    },
  ];
}

async function microsecondsPerChunk(
  front: MeasuredProcess,
  agent: MeasuredProcess,
): Promise<{ front: number; agent: number }> {
  const before = await Promise.all([front.cpuSeconds(), agent.cpuSeconds()]);
  await stream(front, 1);
  const after = await Promise.all([front.cpuSeconds(), agent.cpuSeconds()]);
  const perChunk = 1e6 / (STREAMS * CHUNKS);
  return { front: (after[0] - before[0]) * perChunk, agent: (after[1] - before[1]) * perChunk };
}

async function stream({ port }: MeasuredProcess, turns: number): Promise<void> {
  await Promise.all(
    Array.from({ length: STREAMS }, async () => {
      const client = await TurnClient.connect(port, undefined, "helper");
      for (let turn = 0; turn < turns; turn += 1) await client.turn("Tell me something.");
      client.close();
    }),
  );
}

async function measureIdleConnections(): Promise<Measurement> {
  const count = Math.min(MOST_CONNECTIONS, Math.floor(((await openFiles()) - OTHER_FILES) / 2));
  await using agent = await MeasuredProcess.startAgent({ handler: "echo" });
  await using gateway = await MeasuredProcess.start("gateway-server.ts", [String(agent.port)]);
  const target = "/ws?agent=helper&namespace=team";
  for (const { socket } of await connectMany(gateway.port, FIRST_CONNECTIONS, target)) {
    socket.destroy();
  }
  await delay(SETTLE_MS);
  const before = await gateway.residentMegabytes();
  const clients = await connectMany(gateway.port, count, target);
  await delay(SETTLE_MS);
  const after = await gateway.residentMegabytes();
  for (const { socket } of clients) socket.destroy();
  const kilobytes = ((after - before) * 1_024) / count;
  return {
    what: `Resident memory of a gateway for one of ${count} idle connections`,
    measured: `${after.toFixed(1)} MB`,
    floor: `${before.toFixed(1)} MB (none)`,
    result: `${kilobytes.toFixed(1)} KB`,
    target: `< ${TARGET_KILOBYTES} KB`,
    withinTarget: kilobytes < TARGET_KILOBYTES,
  };
}

/** How many files a process of this machine may have open. */
async function openFiles(): Promise<number> {
  const limits = await readFile("/proc/self/limits", "utf8");
  return Number(/^Max open files +\d+ +(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
}
