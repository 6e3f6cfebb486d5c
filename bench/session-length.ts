/** Whether a turn costs more in a long session than in a short one. */
import type { HandlerName } from "../src/agent-config.ts";
import type { Measurement } from "./bench.ts";
import { MeasuredProcess } from "./measured-process.ts";
import { median } from "./median.ts";
import { TurnClient } from "./turn-client.ts";

const LONG_SESSION_TURNS = 10_000;
const SHORT_SESSION_TURNS = 10;
const ROUNDS = 5;
/** What is noise between two measurements of the same. */
const TARGET = 1.2;
/** Turns of one measurement. A turn of the demo is some fifty frames. */
const TURNS: Record<"echo" | "demo", number> = { echo: 3_000, demo: 200 };

export async function measureSessionLength(): Promise<Measurement[]> {
  return [await measureHandler("echo"), await measureHandler("demo")];
}

async function measureHandler(handler: HandlerName & keyof typeof TURNS): Promise<Measurement> {
  await using agent = await MeasuredProcess.startAgent({ handler });
  const long = await TurnClient.connect(agent.port);
  for (let turn = 0; turn < LONG_SESSION_TURNS; turn++) await long.turn("hello");

  const rounds: { long: number; short: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const sessions = TURNS[handler] / SHORT_SESSION_TURNS;
    const short = await Promise.all(
      Array.from({ length: sessions }, () => TurnClient.connect(agent.port)),
    );
    const ofLong = await microsecondsPerTurn(agent, [long], TURNS[handler]);
    const ofShort = await microsecondsPerTurn(agent, short, TURNS[handler]);
    for (const client of short) client.close();
    rounds.push({ long: ofLong, short: ofShort });
  }
  long.close();
  const ratio = median(rounds.map((round) => round.long / round.short));
  return {
    what: `CPU of a turn (${handler}) after ${LONG_SESSION_TURNS} turns in its session`,
    measured: `${median(rounds.map((round) => round.long)).toFixed(1)} µs`,
    floor: `${median(rounds.map((round) => round.short)).toFixed(1)} µs (sessions of ${SHORT_SESSION_TURNS} turns)`,
    result: `${ratio.toFixed(2)} times the floor`,
    target: `≤ ${TARGET}`,
    withinTarget: ratio <= TARGET,
  };
}

/** One turn at a time, shared out among the clients. */
async function microsecondsPerTurn(
  agent: MeasuredProcess,
  clients: readonly TurnClient[],
  turns: number,
): Promise<number> {
  const before = await agent.cpuSeconds();
  for (const client of clients) {
    for (let turn = 0; turn < turns / clients.length; turn++) await client.turn("hello");
  }
  return (((await agent.cpuSeconds()) - before) * 1e6) / turns;
}
