import type { Measurement } from "./bench.ts";
import { median } from "./median.ts";

const ROUNDS = 5;

/** Calls something with a number, which counts from 1. */
type Call = (id: number) => Promise<void>;

export interface CallsToMeasure {
  readonly what: string;
  readonly call: Call;
  readonly bare: Call;
  readonly bareName: string;
  /** How many calls are under way at a time. */
  readonly parallel: number;
  readonly warmUpCalls: number;
  readonly calls: number;
  readonly targetMs: number;
}

/** The CPU time of this process for a call, against that of a bare one. */
export async function measureCalls(measured: CallsToMeasure): Promise<Measurement> {
  const { what, call, bare, bareName, parallel, warmUpCalls, calls, targetMs } = measured;
  await millisecondsOf(call, warmUpCalls, parallel);
  await millisecondsOf(bare, warmUpCalls, parallel);
  const rounds: { call: number; bare: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    rounds.push({
      call: await millisecondsOf(call, calls, parallel),
      bare: await millisecondsOf(bare, calls, parallel),
    });
  }
  const ofCall = median(rounds.map((round) => round.call));
  const ofBare = median(rounds.map((round) => round.bare));
  return {
    what,
    measured: `${ofCall.toFixed(3)} ms`,
    floor: `${ofBare.toFixed(3)} ms (${bareName})`,
    result: `${ofCall.toFixed(3)} ms, ${(ofCall / ofBare).toFixed(2)} times the floor`,
    target: `≤ ${targetMs} ms`,
    withinTarget: ofCall <= targetMs,
  };
}

async function millisecondsOf(call: Call, calls: number, parallel: number): Promise<number> {
  const before = process.cpuUsage();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < calls) await call((next += 1));
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / calls;
}
