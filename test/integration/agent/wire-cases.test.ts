/** What the agent makes of the answers of real model servers, each of which is a folder of test/cases/providers. */
import { describe, expect, it } from "vitest";
import { judgeCase } from "../../support/wire/judge-case.ts";
import { playCase } from "../../support/wire/play-case.ts";
import { readWireCases } from "../../support/wire/wire-case.ts";

/** Cases that do not hold yet. */
const FALLS_SHORT: readonly string[] = [];

describe.concurrent("an agent and what model servers send", () => {
  for (const wireCase of readWireCases()) {
    const { name, kind, fault } = wireCase;
    const test = FALLS_SHORT.includes(name) ? it.fails : it;
    test(`${name} (${kind}): ${fault}`, async ({ onTestFinished }) => {
      const played = await playCase(wireCase, onTestFinished);
      expect(judgeCase(wireCase, played)).toEqual([]);
    });
  }
});
