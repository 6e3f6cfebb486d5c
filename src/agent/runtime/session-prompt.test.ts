import { describe, expect, it } from "vitest";
import { aPrompt } from "../../../test/support/builders/agent-config.ts";
import { promptForSession } from "./session-prompt.ts";

const active = aPrompt({ version: "active" });
const canary = aPrompt({ version: "canary" });
const sessions = Array.from({ length: 2_000 }, (_, index) => `session-${index}`);

function onCanary(weight: number): string[] {
  return sessions.filter(
    (id) => promptForSession({ active, canary: { weight, prompt: canary } }, id) === canary,
  );
}

describe("promptForSession", () => {
  it("gives the canary the share of sessions that it weighs", () => {
    expect(onCanary(0)).toHaveLength(0);
    expect(onCanary(100)).toHaveLength(sessions.length);
    expect(onCanary(20).length / sessions.length).toBeCloseTo(0.2, 1);
  });

  it("keeps a session where it is, also while the weight grows", () => {
    expect(onCanary(20)).toEqual(onCanary(20));
    expect(onCanary(60)).toEqual(expect.arrayContaining(onCanary(20)));
  });

  it("takes the active prompt where there is no canary", () => {
    expect(promptForSession({ active }, "session-1")).toBe(active);
  });
});
