/**
 * The CPU time of a chunk of a streamed answer, in the process of an agent and in that of a bare server with the same load. The two
 * take turns, and it is their CPU time that is compared and not the time of the clock, so that other work on the machine counts little.
 */
import { startRedis } from "../test/support/redis/redis.ts";
import type { Measurement } from "./bench.ts";
import { MeasuredProcess } from "./measured-process.ts";
import { median } from "./median.ts";
import { runtimeConfig } from "./runtime-config.ts";
import { TurnClient } from "./turn-client.ts";

const ROUNDS = 5;
/** A session of its own for so many turns: what is measured is not the length of the history. */
const TURNS_PER_SESSION = 5;

interface Load {
  readonly name: string;
  readonly chunks: number;
  /** Between two chunks of one stream, in milliseconds; 0 when they come at once. */
  readonly intervalMs: number;
  readonly connections: number;
  /** In one measurement, by each connection. */
  readonly turns: number;
  readonly warmUpTurns: number;
  /** Turns of one connection after the other, in which the time to the first chunk is measured. */
  readonly quietTurns: number;
}

const BURST: Load = {
  name: "200 chunks at once",
  chunks: 200,
  intervalMs: 0,
  connections: 10,
  turns: 10,
  warmUpTurns: 30,
  quietTurns: 100,
};
const PACED: Load = {
  name: "100 streams of 50 chunks/s",
  chunks: 250,
  intervalMs: 20,
  connections: 100,
  turns: 1,
  warmUpTurns: 2,
  quietTurns: 5,
};

interface Target {
  readonly load: Load;
  readonly store: "memory" | "redis";
  readonly ratio: number;
}

const TARGETS: readonly Target[] = [
  { load: BURST, store: "memory", ratio: 1.6 },
  { load: BURST, store: "redis", ratio: 1.8 },
  { load: PACED, store: "memory", ratio: 1.2 },
  { load: PACED, store: "redis", ratio: 1.3 },
];

export async function measureStreamCPU(): Promise<Measurement[]> {
  await using provider = await MeasuredProcess.start("stream-server.ts");
  await using redis = await startRedis();
  const measurements: Measurement[] = [];
  for (const target of TARGETS) {
    const { load, store } = target;
    const baseURL = `http://127.0.0.1:${provider.port}/${load.chunks}x${load.intervalMs}/v1`;
    const ttlMs = 600_000;
    await using agent = await MeasuredProcess.startAgent(
      {
        ...runtimeConfig(baseURL),
        session:
          store === "memory"
            ? { type: store, ttlMs }
            : { type: store, ttlMs, storeURLFile: "store-url" },
      },
      { key: "no-key", "store-url": redis.url },
    );
    await using bare = await MeasuredProcess.start("bare-stream-server.ts", [baseURL]);
    measurements.push(await compare(agent, bare, target));
  }
  return measurements;
}

async function compare(
  agent: MeasuredProcess,
  bare: MeasuredProcess,
  { load, store, ratio: target }: Target,
): Promise<Measurement> {
  await stream(agent, load, load.warmUpTurns);
  await stream(bare, load, load.warmUpTurns);
  const rounds: { agent: number; bare: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const ofAgent = await microsecondsPerChunk(agent, load);
    const ofBare = await microsecondsPerChunk(bare, load);
    rounds.push({ agent: ofAgent, bare: ofBare });
  }
  const first = await firstChunks(agent, bare, load);
  const ratio = median(rounds.map((round) => round.agent / round.bare));
  return {
    what: `CPU of a chunk, ${load.name}, sessions in ${store === "memory" ? "memory" : "Redis"}`,
    measured: `${median(rounds.map((round) => round.agent)).toFixed(1)} µs, first chunk after ${first.agent.toFixed(2)} ms`,
    floor: `${median(rounds.map((round) => round.bare)).toFixed(1)} µs, first chunk after ${first.bare.toFixed(2)} ms (bare server)`,
    result: `${ratio.toFixed(2)} times the floor`,
    target: `≤ ${target}`,
    withinTarget: ratio <= target,
  };
}

async function microsecondsPerChunk(server: MeasuredProcess, load: Load): Promise<number> {
  const before = await server.cpuSeconds();
  await stream(server, load, load.turns);
  const seconds = (await server.cpuSeconds()) - before;
  return (seconds * 1e6) / (load.connections * load.turns * load.chunks);
}

/** So many turns on each of the load's connections, which all talk at once. */
async function stream({ port }: MeasuredProcess, load: Load, turns: number): Promise<void> {
  await Promise.all(
    Array.from({ length: load.connections }, async () => {
      for (let done = 0; done < turns; done += TURNS_PER_SESSION) {
        const client = await TurnClient.connect(port);
        for (let turn = done; turn < Math.min(turns, done + TURNS_PER_SESSION); turn++) {
          await client.turn("Tell me something.");
        }
        client.close();
      }
    }),
  );
}

/** The medians of the times to the first chunk, in milliseconds, at one stream. */
async function firstChunks(
  agent: MeasuredProcess,
  bare: MeasuredProcess,
  { quietTurns }: Load,
): Promise<{ agent: number; bare: number }> {
  const ofAgent: number[] = [];
  const ofBare: number[] = [];
  while (ofAgent.length < quietTurns) {
    const clients = {
      agent: await TurnClient.connect(agent.port),
      bare: await TurnClient.connect(bare.port),
    };
    for (let turn = 0; turn < TURNS_PER_SESSION; turn++) {
      ofAgent.push(await clients.agent.firstChunk("Tell me something."));
      ofBare.push(await clients.bare.firstChunk("Tell me something."));
    }
    clients.agent.close();
    clients.bare.close();
  }
  return { agent: median(ofAgent), bare: median(ofBare) };
}
