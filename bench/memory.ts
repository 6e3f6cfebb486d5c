/** What an idle agent keeps in memory, against a Node.js process that does nothing. */
import { setTimeout as delay } from "node:timers/promises";
import type { Measurement } from "./bench.ts";
import { MeasuredProcess } from "./measured-process.ts";
import { runtimeConfig } from "./runtime-config.ts";

const SETTLE_MS = 5_000;
const TARGET_MEGABYTES = 90;

export async function measureMemory(): Promise<Measurement[]> {
  await using bare = await MeasuredProcess.start("bare-process.mjs");
  await using echo = await MeasuredProcess.startAgent({ handler: "echo" });
  const config = runtimeConfig("http://127.0.0.1:9/v1");
  await using runtime = await MeasuredProcess.startAgent(config, { key: "no-key" });
  await delay(SETTLE_MS);
  const floor = await bare.residentMegabytes();
  return [
    compare("echo", await echo.residentMegabytes(), floor),
    compare("runtime, ready for its first turn", await runtime.residentMegabytes(), floor),
  ];
}

function compare(agent: string, megabytes: number, floor: number): Measurement {
  return {
    what: `Resident memory of an idle agent (${agent})`,
    measured: `${megabytes.toFixed(1)} MB`,
    floor: `${floor.toFixed(1)} MB (bare node)`,
    result: `${megabytes.toFixed(1)} MB, ${(megabytes / floor).toFixed(2)} times the floor`,
    target: `< ${TARGET_MEGABYTES} MB`,
    withinTarget: megabytes < TARGET_MEGABYTES,
  };
}
