import { describe, expect, it } from "vitest";
import type { HistoryMessage } from "../sessions/history-message.ts";
import type { SessionTimeline } from "../sessions/session-listing.ts";
import { sinceTurn } from "./since-turn.ts";

function aTimeline(
  turns: readonly { turnId: string; firstTurnId?: string }[],
  messages: readonly string[] = turns
    .filter(({ firstTurnId }) => firstTurnId === undefined)
    .map(({ turnId }) => turnId),
): SessionTimeline {
  return {
    session: {
      id: "s",
      owner: "o",
      title: "",
      createdAt: 0,
      lastActiveAt: 0,
      expiresAt: 0,
      turns: turns.length,
      toolCalls: 0,
      inputTokens: 0,
      outputTokens: 0,
      state: "idle",
    },
    messages: messages.map((turnId): HistoryMessage => ({ role: "user", turnId, content: "" })),
    turns: turns.map((turn) => ({ ...turn, startedAt: 0, replicas: [], calls: [] })),
    lastSeq: 9,
    keptAfter: 3,
    unreadable: [],
  };
}

function told(timeline: SessionTimeline, turnId: string) {
  const { turns, messages } = sinceTurn(timeline, turnId);
  return {
    turns: turns.map((turn) => turn.turnId).join(" "),
    messages: messages.map((message) => message.turnId).join(" "),
  };
}

const THREE = aTimeline([{ turnId: "a" }, { turnId: "b" }, { turnId: "c" }]);

describe("a session since a turn", () => {
  it("has the turn, and what came after it", () => {
    expect(told(THREE, "b")).toEqual({ turns: "b c", messages: "b c" });
    expect(told(THREE, "c")).toEqual({ turns: "c", messages: "c" });
  });

  it("is all of it since its first turn, and since one that it does not know", () => {
    expect(sinceTurn(THREE, "a")).toEqual(THREE);
    expect(sinceTurn(THREE, "forgotten")).toBe(THREE);
  });

  it("keeps what is true of the whole session", () => {
    expect(sinceTurn(THREE, "c")).toMatchObject({ session: THREE.session, lastSeq: 9 });
  });

  it("begins with the turn that a later one goes on with, however often it was gone on with", () => {
    const timeline = aTimeline([
      { turnId: "a" },
      { turnId: "b" },
      { turnId: "b2", firstTurnId: "b" },
      { turnId: "b3", firstTurnId: "b" },
    ]);
    for (const since of ["b", "b2", "b3"]) {
      expect(told(timeline, since)).toEqual({ turns: "b b2 b3", messages: "b" });
    }
  });

  it("has what was said in a turn that is not counted yet", () => {
    const timeline = aTimeline([{ turnId: "a" }, { turnId: "b" }], ["a", "b", "b", "new"]);
    expect(told(timeline, "b")).toEqual({ turns: "b", messages: "b b new" });
  });

  it("has no part of a turn that began before", () => {
    const timeline = aTimeline([{ turnId: "a" }, { turnId: "b" }], ["a", "b", "a", "b"]);
    expect(told(timeline, "b")).toEqual({ turns: "b", messages: "b b" });
  });

  it("has no messages where those of the turn are forgotten", () => {
    expect(told(aTimeline([{ turnId: "a" }, { turnId: "b" }], ["a"]), "b")).toEqual({
      turns: "b",
      messages: "",
    });
  });
});
