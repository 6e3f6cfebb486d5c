/** The CPU time of one echo turn of an agent, against what a bare `ws` server takes for the same message. */
import type { Measurement } from "./bench.ts";
import { MeasuredProcess } from "./measured-process.ts";
import { median } from "./median.ts";
import { TurnClient } from "./turn-client.ts";

const WARM_UP_TURNS = 10_000;
const TURNS = 20_000;
const ROUNDS = 7;
const TARGET = 1.8;

export async function measureEchoCPU(): Promise<Measurement[]> {
  await using agent = await MeasuredProcess.startAgent({ handler: "echo" });
  await using bare = await MeasuredProcess.start("bare-echo-server.ts");
  return [await compare(agent, bare, 1), await compare(agent, bare, 20)];
}

async function compare(
  agent: MeasuredProcess,
  bare: MeasuredProcess,
  connections: number,
): Promise<Measurement> {
  const ofAgent = await connectAll(agent, connections);
  const ofBare = await connectAll(bare, connections);
  await runTurns(ofAgent, WARM_UP_TURNS);
  await runTurns(ofBare, WARM_UP_TURNS);

  const rounds: { agent: number; bare: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const agentMicroseconds = await microsecondsPerTurn(agent, ofAgent);
    const bareMicroseconds = await microsecondsPerTurn(bare, ofBare);
    rounds.push({ agent: agentMicroseconds, bare: bareMicroseconds });
  }
  for (const client of [...ofAgent, ...ofBare]) client.close();
  const ratio = median(rounds.map((round) => round.agent / round.bare));
  return {
    what: `CPU of an echo turn, ${connections} connection${connections === 1 ? "" : "s"}`,
    measured: `${median(rounds.map((round) => round.agent)).toFixed(1)} µs`,
    floor: `${median(rounds.map((round) => round.bare)).toFixed(1)} µs (bare ws echo server)`,
    result: `${ratio.toFixed(2)} times the floor`,
    target: `≤ ${TARGET}`,
    withinTarget: ratio <= TARGET,
  };
}

function connectAll({ port }: MeasuredProcess, connections: number): Promise<TurnClient[]> {
  return Promise.all(Array.from({ length: connections }, () => TurnClient.connect(port)));
}

async function microsecondsPerTurn(
  server: MeasuredProcess,
  clients: readonly TurnClient[],
): Promise<number> {
  const before = await server.cpuSeconds();
  await runTurns(clients, TURNS);
  return (((await server.cpuSeconds()) - before) * 1e6) / TURNS;
}

/** As many turns in all, shared out among the clients, who all talk at once. */
async function runTurns(clients: readonly TurnClient[], turns: number): Promise<void> {
  await Promise.all(
    clients.map(async (client) => {
      for (let turn = 0; turn < turns / clients.length; turn++) {
        await client.turn("How are you today?");
      }
    }),
  );
}
