/**
 * Streams of model servers that were damaged on their way, at random: whatever comes, a turn ends, half an answer is never
 * taken for a whole one, and no tool is called twice or for half an answer. OMNIA_FUZZ_RUNS tries more of them, and
 * OMNIA_FUZZ_SEED others.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { someDamage } from "../../support/damage/damaged-stream.ts";
import { startDamagedTalks } from "../../support/damage/damaged-talk.ts";
import { aPlannedAnswer } from "../../support/damage/planned-answer.ts";
import type { WireApi } from "../../support/wire/wire-case.ts";

const RUNS = Number(process.env["OMNIA_FUZZ_RUNS"] ?? 40);
const SEED = Number(process.env["OMNIA_FUZZ_SEED"] ?? 1);
const LIMIT_MS = 60_000 + RUNS * 1_000;

const apis: WireApi[] = ["chat", "responses", "anthropic", "google"];

describe.concurrent("an agent whose model server's stream is damaged", () => {
  for (const api of apis) {
    it(
      `makes nothing wrong of it, by ${api}`,
      { timeout: LIMIT_MS },
      async ({ onTestFinished }) => {
        const talks = await startDamagedTalks(api, onTestFinished);
        await fc.assert(
          fc.asyncProperty(aPlannedAnswer, someDamage, async (answer, damage) => {
            expect(await talks.talk(answer, damage)).toEqual([]);
          }),
          { numRuns: RUNS, seed: SEED },
        );
      },
    );
  }
});
