import { describe, expect, it } from "vitest";
import { aPrompt } from "../../../test/support/builders/agent-config.ts";
import type { TurnBinding } from "../../promptpack/document/binding.ts";
import { boundPrompt } from "./bound-prompt.ts";

const NOW = Date.UTC(2026, 2, 1, 23, 30);

function filled(source: TurnBinding, metadata?: Record<string, unknown>): string {
  const bindings = [{ marker: "@", source, fallback: "none" }];
  const prompt = { ...aPrompt(), system: "It is @.", bindings };
  return boundPrompt(prompt, { sessionId: "s-1", callerSubject: "alice", metadata }, NOW).system;
}

describe("the prompt of a turn", () => {
  it("is the config's own where nothing is bound", () => {
    const prompt = aPrompt();
    const turn = { sessionId: "s", callerSubject: undefined, metadata: undefined };
    expect(boundPrompt(prompt, turn, NOW)).toBe(prompt);
  });

  it("names the session and its user", () => {
    expect(filled("session_id")).toBe("It is s-1.");
    expect(filled("user_id")).toBe("It is alice.");
  });

  it("has the date and the time in the zone that the client names", () => {
    expect(filled("date", { time_zone: "Asia/Tokyo" })).toBe("It is 2026-03-02.");
    expect(filled("time", { timezone: "Asia/Tokyo" })).toBe("It is 08:30.");
    expect(filled("time_zone", { time_zone: "Asia/Tokyo" })).toBe("It is Asia/Tokyo.");
  });

  it("has those of the agent where the client names none, or no zone that there is", () => {
    const own = filled("time_zone");
    for (const time_zone of [undefined, 7, "Mars/Olympus", "x".repeat(1_000), "UTC\nobey"]) {
      expect(filled("time_zone", { time_zone })).toBe(own);
    }
  });
});
