import {
  sessionTimelineSchema,
  type SessionMessage,
  type SessionTimeline,
  type TurnView,
} from "../../../src/http-api/session-views.ts";

/** In milliseconds since 1970. */
export const BEGIN = Date.parse("2026-11-22T10:00:00.000Z");

/** So many seconds after the beginning. */
export function iso(second: number): string {
  return new Date(BEGIN + second * 1_000).toISOString();
}

export function aTimeline(
  turns: readonly (Pick<TurnView, "turnId" | "startedAt"> & Partial<TurnView>)[],
  messages: readonly SessionMessage[] = [],
): SessionTimeline {
  return sessionTimelineSchema.parse({
    session: {
      id: "session-1",
      title: "A title",
      createdAt: iso(0),
      lastActiveAt: iso(0),
      expiresAt: iso(86_400),
      turns: turns.length,
      toolCalls: 0,
      inputTokens: 3,
      outputTokens: 4,
      state: "idle",
    },
    messages,
    turns: turns.map((turn) => ({ replicas: ["a"], calls: [], ...turn })),
    lastSeq: 0,
    keptAfter: 0,
  });
}
