/** What an idle agent keeps in memory, against a Node.js process that does nothing. */
import { setTimeout as delay } from "node:timers/promises";
import type { Measurement } from "./bench.ts";
import { MeasuredProcess } from "./measured-process.ts";

const SETTLE_MS = 5_000;
const TARGET_MEGABYTES = 90;

export async function measureMemory(): Promise<Measurement[]> {
  await using bare = await MeasuredProcess.start("bare-process.mjs");
  await using echo = await MeasuredProcess.startAgent({ handler: "echo" });
  await delay(SETTLE_MS);
  const floor = await bare.residentMegabytes();
  const megabytes = await echo.residentMegabytes();
  return [
    {
      what: "Resident memory of an idle agent (echo)",
      measured: `${megabytes.toFixed(1)} MB`,
      floor: `${floor.toFixed(1)} MB (bare node)`,
      result: `${megabytes.toFixed(1)} MB, ${(megabytes / floor).toFixed(2)} times the floor`,
      target: `< ${TARGET_MEGABYTES} MB`,
      withinTarget: megabytes < TARGET_MEGABYTES,
    },
  ];
}
