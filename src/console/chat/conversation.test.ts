import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sessionTimelineSchema, type SessionTimeline } from "../../http-api/session-views.ts";
import type { ServerFrame, TurnFrame } from "../../protocol/frames.ts";
import {
  knownUpTo,
  NO_CONVERSATION,
  reduce,
  resumeAfter,
  type Conversation,
} from "./conversation.ts";
import { callsOf, textOf } from "./turn-parts.ts";
import { turnViews, type TurnView } from "./turn-view.ts";

const SESSION = "session-1";
const TIME = Date.parse("2026-11-22T10:00:00.000Z");

const scriptedCall = fc.record({
  name: fc.constantFrom("weather", "refund"),
  error: fc.boolean(),
  member: fc.boolean(),
});
const scriptedStep = fc.record({
  chunks: fc.array(fc.string({ minLength: 1, maxLength: 6 }), { maxLength: 4 }),
  calls: fc.array(scriptedCall, { maxLength: 3 }),
});
const scriptedTurn = fc.record({
  named: fc.boolean(),
  question: fc.string({ maxLength: 8 }),
  steps: fc.array(scriptedStep, { maxLength: 3 }),
  end: fc.constantFrom("done" as const, "error" as const, "warned" as const),
});
type ScriptedTurn = typeof scriptedTurn extends fc.Arbitrary<infer Value> ? Value : never;

describe("a conversation", () => {
  it("is the same from frames once, and from any history, replay and live frames that overlap", () => {
    fc.assert(
      fc.property(
        fc.array(scriptedTurn, { minLength: 1, maxLength: 4 }),
        fc.nat(),
        fc.nat(),
        fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 4 }),
        fc.boolean(),
        (script, historyAt, laterHistoryAt, repeats, isOnlyNew) => {
          const frames = framesOf(script);
          const at = historyAt % (frames.length + 1);
          const timeline = timelineAt(script, frames, at);
          let conversation = reduce(NO_CONVERSATION, { type: "history", timeline });
          const later = at + (laterHistoryAt % (frames.length + 1 - at));
          const from = resumeAfter(timeline);
          for (const [index, frame] of frames.entries()) {
            if (index < from) continue;
            conversation = reduce(conversation, { type: "frame", frame });
            for (const [where, back] of repeats) {
              // The connection was lost, and what came before comes again.
              if (where % frames.length !== index) continue;
              conversation = reduce(conversation, { type: "lost" });
              for (const again of frames.slice(Math.max(0, index - (back % 8)), index + 1)) {
                conversation = reduce(conversation, { type: "frame", frame: again });
              }
            }
            if (index === later) {
              const whole = timelineAt(script, frames, later);
              const second = isOnlyNew ? sinceTurn(whole, knownUpTo(conversation)) : whole;
              conversation = reduce(conversation, { type: "history", timeline: second });
            }
          }
          const once = frames.reduce<Conversation>(
            (state, frame) => reduce(state, { type: "frame", frame }),
            reduce(NO_CONVERSATION, { type: "frame", frame: connected(0) }),
          );
          expect(shown(conversation)).toEqual(shown(once));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("shows what is said once when every frame comes twice", () => {
    const frames = framesOf([aTurn({ chunks: ["It is ", "18 °C."] })]);
    const twice = frames.flatMap((frame) => [frame, frame]);
    expect(textOf(viewOf(twice).parts)).toBe("It is 18 °C.");
  });

  it("passes over frames of a later protocol", () => {
    const frames = framesOf([aTurn({ chunks: ["Hello."] })]);
    const later = { ...frames[0], type: "thought", content: "?" } as unknown as ServerFrame;
    expect(textOf(viewOf([...frames.slice(0, 1), later, ...frames.slice(1)]).parts)).toBe("Hello.");
  });

  it("has the whole answer of a turn of which frames are no longer kept", () => {
    const frames = framesOf([aTurn({ chunks: ["one ", "two ", "three"] })]);
    const forgotten: ServerFrame = {
      type: "error",
      session_id: SESSION,
      timestamp: new Date(TIME).toISOString(),
      error: { code: "INVALID_MESSAGE", message: "gone", details: { kept_after: 2 } },
    };
    const cut = run([connected(0), forgotten, ...frames.slice(2, -1)]);
    expect(cut.forgottenUpTo).toBe(2);
    expect(last(cut)).toMatchObject({ phase: "streaming" });
    expect(textOf(viewOf([connected(0), forgotten, ...frames.slice(2)]).parts)).toBe(
      "one two three",
    );
  });

  it("goes on with a turn that another replica took over as with one turn", () => {
    const frames = framesOf([aTurn({ chunks: ["a", "b", "c", "d"] })]);
    let conversation = run([connected(0), ...frames.slice(0, 2)]);
    conversation = reduce(conversation, { type: "lost" });
    expect(last(conversation)).toMatchObject({ phase: "streaming", brokenAfter: 1 });
    for (const frame of [connected(2), ...frames.slice(2)]) {
      conversation = reduce(conversation, { type: "frame", frame });
    }
    const timeline = timelineAt([aTurn({ chunks: ["a", "b", "c", "d"] })], frames, frames.length);
    for (const turn of timeline.turns) turn.replicas = ["one", "two"];
    conversation = reduce(conversation, { type: "history", timeline });
    expect(last(conversation)).toMatchObject({ replicas: ["one", "two"], phase: "done" });
    expect(textOf(last(conversation).parts)).toBe("abcd");
  });

  it("shows a message at once, and gives it its turn when the first frame names it", () => {
    let conversation = run([connected(0)]);
    conversation = reduce(conversation, {
      type: "sent",
      messageId: "m1",
      content: "Weather?",
      at: TIME,
    });
    expect(last(conversation)).toMatchObject({ phase: "waiting", question: "Weather?" });
    for (const frame of framesOf([aTurn({ chunks: ["Sunny."] })], "m")) {
      conversation = reduce(conversation, { type: "frame", frame });
    }
    expect(conversation.turns).toHaveLength(1);
    expect(last(conversation)).toMatchObject({ phase: "done", question: "Weather?", key: "m1" });
  });

  it("takes a message back that the server refused", () => {
    let conversation = run([connected(0)]);
    conversation = reduce(conversation, { type: "sent", messageId: "m1", content: "x", at: TIME });
    expect(reduce(conversation, { type: "refused", messageId: "m1" }).turns).toEqual([]);
  });

  it("waits for an approval until another turn begins", () => {
    const asks = [
      frame(1, "turn-1", {
        type: "approval_request",
        approval: { id: "c1", name: "refund", arguments: { amount: 5 }, expires_at: iso(99) },
      }),
      frame(2, "turn-1", { type: "done", content: "", finish_reason: "awaiting_approval" }),
    ];
    const waiting = run([connected(0), ...asks]);
    expect(last(waiting)).toMatchObject({ phase: "approval" });
    const goesOn = frame(3, "turn-2", {
      type: "tool_call",
      tool_call: { id: "c1", name: "refund", arguments: { amount: 5 } },
    });
    const views = turnViews(reduce(waiting, { type: "frame", frame: goesOn }));
    expect(views.map(({ phase }) => phase)).toEqual(["done", "tool-running"]);
    expect(callsOf(views[0]?.parts ?? [])).toMatchObject([{ id: "c1", outcome: "decided" }]);
  });

  it("shows an open request that is told of again after a reload once", () => {
    const timeline = sessionTimelineSchema.parse({
      ...timelineAt([], [], 0),
      messages: [
        { role: "user", turnId: "turn-1", content: "Refund it" },
        {
          role: "assistant",
          turnId: "turn-1",
          content: "",
          toolCalls: [{ id: "c1", name: "refund", arguments: { amount: 5 } }],
        },
      ],
      turns: [
        {
          turnId: "turn-1",
          startedAt: iso(0),
          endedAt: iso(1),
          replicas: ["a"],
          finishReason: "awaiting_approval",
          calls: [],
        },
      ],
      lastSeq: 2,
      keptAfter: 0,
    });
    const remembered = reduce(NO_CONVERSATION, { type: "history", timeline });
    expect(last(remembered)).toMatchObject({ phase: "approval" });
    const again = frame(1, "turn-1", {
      type: "approval_request",
      approval: { id: "c1", name: "refund", arguments: { amount: 5 }, expires_at: iso(99) },
    });
    const told = reduce(remembered, { type: "frame", frame: again });
    expect(last(told)).toMatchObject({ phase: "approval", question: "Refund it" });
    expect(callsOf(last(told).parts)).toMatchObject([{ id: "c1", outcome: "waiting" }]);
  });

  it("says that nobody knows what a call did whose turn failed before its result", () => {
    const frames = [
      frame(1, "turn-1", { type: "tool_call", tool_call: { id: "c", name: "pay", arguments: {} } }),
      frame(2, "turn-1", { type: "error", error: { code: "TOOL_ERROR", message: "?" } }),
    ];
    expect(viewOf(frames)).toMatchObject({
      phase: "failed",
      error: { code: "TOOL_ERROR" },
      parts: [{ calls: [{ id: "c", outcome: "unknown" }] }],
    });
  });

  it("begins anew when its session has ended, and keeps what was sent", () => {
    const frames = framesOf([aTurn({ chunks: ["Hi."] })]);
    let conversation = run([connected(0), ...frames]);
    conversation = reduce(conversation, { type: "sent", messageId: "m9", content: "y", at: TIME });
    conversation = reduce(conversation, {
      type: "frame",
      frame: { ...connected(0), session_id: "session-2" },
    });
    expect(conversation).toMatchObject({ sessionId: "session-2", endedSessionId: SESSION });
    expect(turnViews(conversation).map(({ question }) => question)).toEqual(["y"]);
  });

  it("gives the same object for a turn that has not changed", () => {
    const frames = framesOf([aTurn({ chunks: ["a"] }), aTurn({ chunks: ["b", "c"] })]);
    const before = run([connected(0), ...frames.slice(0, -2)]);
    const after = reduce(before, { type: "frame", frame: frames.at(-2) as ServerFrame });
    expect(turnViews(after)[0]).toBe(turnViews(before)[0]);
  });
});

function aTurn({ chunks }: { chunks: string[] }): ScriptedTurn {
  return { named: true, question: "?", steps: [{ chunks, calls: [] }], end: "done" };
}

function run(frames: readonly ServerFrame[]): Conversation {
  return frames.reduce(
    (state, each) => reduce(state, { type: "frame", frame: each }),
    NO_CONVERSATION,
  );
}

function viewOf(frames: readonly ServerFrame[]): TurnView {
  return last(run([connected(0), ...frames]));
}

function last(conversation: Conversation): TurnView {
  const view = turnViews(conversation).at(-1);
  if (view === undefined) throw new Error("there is no turn");
  return view;
}

function connected(seq: number): ServerFrame & { type: "connected" } {
  return { type: "connected", session_id: SESSION, timestamp: iso(0), resumed: seq > 0, seq };
}

function iso(second: number): string {
  return new Date(TIME + second * 1_000).toISOString();
}

type Body<Frame> = Frame extends TurnFrame
  ? Omit<Frame, "session_id" | "timestamp" | "turn_id" | "seq">
  : never;

function frame(seq: number, turnId: string, body: Body<TurnFrame>): TurnFrame {
  return { ...body, session_id: SESSION, timestamp: iso(seq), turn_id: turnId, seq };
}

/** What the server sends of the turns. */
function framesOf(script: readonly ScriptedTurn[], idPrefix = "message-"): TurnFrame[] {
  const frames: TurnFrame[] = [];
  for (const [index, turn] of script.entries()) {
    const turnId = `turn-${index + 1}`;
    const first = frames.length;
    const add = (body: Body<TurnFrame>): void => {
      frames.push(frame(frames.length + 1, turnId, body));
    };
    for (const [step, { chunks, calls }] of turn.steps.entries()) {
      for (const content of chunks) add({ type: "chunk", content });
      for (const [place, call] of calls.entries()) {
        const id = `${turnId}-${step}-${place}`;
        add({ type: "tool_call", tool_call: { id, name: call.name, arguments: { place } } });
        if (call.member) {
          const below = { id: `${id}-m`, name: "member", arguments: {}, parent: id };
          add({ type: "tool_call", tool_call: below });
          add({ type: "tool_result", tool_result: { id: `${id}-m`, result: 1 } });
        }
      }
      for (const [place, call] of calls.entries()) {
        const id = `${turnId}-${step}-${place}`;
        const outcome = call.error ? { id, error: "it failed" } : { id, result: { place } };
        add({ type: "tool_result", tool_result: outcome });
      }
    }
    add(
      turn.end === "error"
        ? { type: "error", error: { code: "PROVIDER_ERROR", message: "it failed" } }
        : {
            type: "done",
            content: saidIn(turn),
            finish_reason: "stop",
            usage: { input_tokens: 1, output_tokens: 2 },
            ...(turn.end === "warned"
              ? { warnings: [{ validator: "length", message: "long" }], state: "asking" }
              : {}),
          },
    );
    if (!turn.named) continue;
    for (const at of [first, frames.length - 1]) {
      const named = frames[at];
      if (named !== undefined) named.message_id = `${idPrefix}${index + 1}`;
    }
  }
  return frames;
}

function saidIn(turn: ScriptedTurn): string {
  return turn.steps.flatMap(({ chunks }) => chunks).join("");
}

/** What the session remembers once `count` frames were sent. */
function timelineAt(
  script: readonly ScriptedTurn[],
  frames: readonly TurnFrame[],
  count: number,
): SessionTimeline {
  const messages: SessionTimeline["messages"] = [];
  const turns: SessionTimeline["turns"] = [];
  let endOfEnded = 0;
  for (const [index, turn] of script.entries()) {
    const turnId = `turn-${index + 1}`;
    const own = frames.filter((each) => each.turn_id === turnId);
    const first = own[0]?.seq ?? 0;
    const end = own.at(-1)?.seq ?? 0;
    if (first > count) break;
    const hasEnded = end <= count;
    const messageId = turn.named ? { messageId: `message-${index + 1}` } : {};
    const about = { turnId, ...messageId, startedAt: iso(first), replicas: ["a"] };
    if (!hasEnded) {
      turns.push({ ...about, calls: [] });
      break;
    }
    endOfEnded = end;
    messages.push({ role: "user", turnId, content: turn.question });
    const counted: SessionTimeline["turns"][number]["calls"] = [];
    for (const [step, { chunks, calls }] of turn.steps.entries()) {
      const ids = calls.map((call, place) => ({
        ...call,
        place,
        id: `${turnId}-${step}-${place}`,
      }));
      messages.push({
        role: "assistant",
        turnId,
        content: chunks.join(""),
        toolCalls: ids.map(({ id, name, place }) => ({ id, name, arguments: { place } })),
      });
      for (const { id, name, error, member, place } of ids) {
        const outcome = error ? { error: "it failed" } : { result: { place } };
        messages.push({ role: "tool", turnId, toolCallId: id, toolName: name, ...outcome });
        counted.push({ id, name, startedAt: iso(0), ms: 5, outcome: error ? "error" : "ok" });
        if (!member) continue;
        const below = { id: `${id}-m`, name: "member", parent: id };
        counted.push({ ...below, startedAt: iso(0), ms: 5, outcome: "ok" });
      }
    }
    turns.push({
      ...about,
      endedAt: iso(end),
      calls: counted,
      ...(turn.end === "error"
        ? { error: { code: "PROVIDER_ERROR", message: "it failed" } }
        : { finishReason: "stop", usage: { input_tokens: 1, output_tokens: 2 } }),
      ...(turn.end === "warned"
        ? { warnings: [{ validator: "length", message: "long" }], workflowState: "asking" }
        : {}),
    });
  }
  return sessionTimelineSchema.parse({
    session: {
      id: SESSION,
      title: "?",
      createdAt: iso(0),
      lastActiveAt: iso(1),
      expiresAt: iso(999),
      turns: turns.length,
      toolCalls: 0,
      inputTokens: 0,
      outputTokens: 0,
      state: "idle",
    },
    messages,
    turns,
    lastSeq: count,
    keptAfter: endOfEnded,
  });
}

/** The end of the timeline, as the API tells it on request. */
function sinceTurn(timeline: SessionTimeline, turnId: string | undefined): SessionTimeline {
  const from = timeline.turns.findIndex((turn) => turn.turnId === turnId);
  if (from === -1) return timeline;
  const turns = timeline.turns.slice(from);
  const messages = timeline.messages.filter((message) =>
    turns.some((turn) => turn.turnId === message.turnId),
  );
  return { ...timeline, turns, messages };
}

/** What a reader sees, without what only the session counts, and without the messages, which frames do not tell. */
function shown(conversation: Conversation) {
  return turnViews(conversation).map((view) => ({
    id: view.id,
    phase: view.phase,
    error: view.error?.code,
    finishReason: view.finishReason,
    warnings: view.warnings,
    workflowState: view.workflowState,
    usage: view.usage,
    parts: view.parts.map((part) =>
      part.type === "text"
        ? part.text
        : part.calls
            .map(({ id, name, outcome, error, parent, arguments: given, result }) => ({
              id,
              name,
              outcome,
              error,
              parent,
              // The session remembers neither for calls of members.
              ...(parent === undefined ? { given, result } : {}),
            }))
            .toSorted((one, other) => (one.id < other.id ? -1 : 1)),
    ),
  }));
}
