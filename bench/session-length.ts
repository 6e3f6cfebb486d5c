/** Whether a turn costs more in a long session than in a short one. */
import type { HandlerName } from "../src/agent-config/agent-config.ts";
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
  const first = await TurnClient.connect(agent.port);
  for (let turn = 0; turn < LONG_SESSION_TURNS; turn++) await first.turn("hello");
  first.close();

  const rounds: { long: number; short: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push({
      long: await microsecondsPerTurn(agent, TURNS[handler], first.sessionId),
      short: await microsecondsPerTurn(agent, TURNS[handler]),
    });
  }
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

/** A connection for every few turns, in both cases: in a session of its own, or in the one that is named. */
async function microsecondsPerTurn(
  agent: MeasuredProcess,
  turns: number,
  sessionId?: string,
): Promise<number> {
  const before = await agent.cpuSeconds();
  for (let done = 0; done < turns; done += SHORT_SESSION_TURNS) {
    const client = await TurnClient.connect(agent.port, sessionId);
    for (let turn = 0; turn < SHORT_SESSION_TURNS; turn++) await client.turn("hello");
    client.close();
  }
  return (((await agent.cpuSeconds()) - before) * 1e6) / turns;
}
