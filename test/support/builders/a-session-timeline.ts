import type { SessionTimeline, SessionView } from "../../../src/http-api/session-views.ts";

export function aSessionView(parts: Partial<SessionView> = {}): SessionView {
  return {
    id: "session-1",
    title: "What is the weather?",
    createdAt: "2026-03-01T12:00:00.000Z",
    lastActiveAt: "2026-03-01T12:00:02.500Z",
    expiresAt: "2026-03-01T13:00:02.500Z",
    turns: 1,
    toolCalls: 1,
    inputTokens: 1_200,
    outputTokens: 56,
    state: "idle",
    packVersion: "0123456789ab",
    ...parts,
  };
}

/** One turn with one call of a tool, unless told otherwise. */
export function aTimeline({
  session,
  ...parts
}: Partial<Omit<SessionTimeline, "session">> & {
  session?: Partial<SessionView>;
} = {}): SessionTimeline {
  const turnId = "turn-1";
  return {
    session: aSessionView(session),
    messages: [
      { role: "user", turnId, content: "What is the weather?\nIn Oslo." },
      {
        role: "assistant",
        turnId,
        content: "",
        toolCalls: [{ id: "call-1", name: "get-weather", arguments: { city: "Oslo" } }],
      },
      {
        role: "tool",
        turnId,
        toolCallId: "call-1",
        toolName: "get-weather",
        result: { degrees: 21 },
      },
      { role: "assistant", turnId, content: "21 degrees." },
    ],
    turns: [
      {
        turnId,
        startedAt: "2026-03-01T12:00:00.000Z",
        firstChunkAt: "2026-03-01T12:00:01.900Z",
        endedAt: "2026-03-01T12:00:02.500Z",
        packVersion: "0123456789ab",
        model: "gpt-4o",
        replicas: ["replica-1"],
        finishReason: "stop",
        usage: { input_tokens: 1_200, output_tokens: 56 },
        calls: [
          {
            id: "call-1",
            name: "get-weather",
            startedAt: "2026-03-01T12:00:01.000Z",
            ms: 412,
            outcome: "ok",
          },
        ],
      },
    ],
    lastSeq: 5,
    keptAfter: 0,
    ...parts,
  };
}
