import { onTestFinished, describe, expect, it } from "vitest";
import { aTimeline, iso } from "../../../test/support/builders/a-timeline.ts";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { numberedNames } from "../../../test/support/builders/numbered-names.ts";
import type { SessionTimeline } from "../../http-api/session-views.ts";
import type { ConnectionEvents } from "../../protocol/client/transport.ts";
import { ChatSession, type ChatSessionOptions } from "./chat-session.ts";
import { chatToken } from "./chat-token.ts";
import { callsOf, textOf } from "./turn-parts.ts";
import { turnViews } from "./turn-view.ts";

describe("a chat", () => {
  it("shows a message at once, and its answer as it comes", async () => {
    const { chat, connections, views } = await setUp();
    chat.send("Weather?");
    expect(views()).toMatchObject([{ phase: "waiting", question: "Weather?" }]);
    await settled();
    const id = idOfMessage(connections);
    connections[0]?.say({ type: "chunk", seq: 1, message_id: id, content: "Sun" });
    expect(views()).toMatchObject([{ phase: "streaming" }]);
    connections[0]?.say(done(2, "Sun", id));
    expect(views()).toMatchObject([{ phase: "done", question: "Weather?" }]);
  });

  it("sends what was said before there was a connection once there is one", async () => {
    const { chat, connections, views } = await setUp({ isSlow: true });
    chat.send("Weather?");
    expect(views()).toMatchObject([{ phase: "waiting", question: "Weather?" }]);
    connections[0]?.say(connected(0));
    await expect
      .poll(() => connections[0]?.heard("message"))
      .toMatchObject({ content: "Weather?" });
  });

  it.each([
    ["TURN_IN_PROGRESS", undefined],
    ["RATE_LIMITED", 30],
    ["UNAVAILABLE", 30],
    ["INTERNAL_ERROR", undefined],
  ])("gives a message back that was refused with %s", async (code, seconds) => {
    const { chat, connections, views, clock } = await setUp();
    chat.send("Weather?");
    await settled();
    const details = seconds === undefined ? {} : { details: { retry_after: seconds } };
    connections[0]?.say({ type: "error", error: { code, message: "no", ...details } });
    await clock.advance(0);
    expect(views()).toEqual([]);
    expect(chat.state().refusal).toMatchObject({
      code,
      content: "Weather?",
      retryAt: seconds === undefined ? undefined : clock.now() + seconds * 1_000,
    });
    chat.send("Again");
    expect(chat.state().refusal).toBeUndefined();
  });

  it("goes on after a reload in the middle of an answer, with nothing twice", async () => {
    const timeline: SessionTimeline = {
      ...aTimeline(
        [
          { turnId: "t0", startedAt: iso(0), endedAt: iso(1), finishReason: "stop" },
          { turnId: "t1", startedAt: iso(2) },
        ],
        [
          { role: "user", turnId: "t0", content: "Hello" },
          { role: "assistant", turnId: "t0", content: "Hi." },
        ],
      ),
      lastSeq: 4,
      keptAfter: 2,
    };
    const { connections, views } = await setUp({ timeline, greeting: connected(5) });
    expect(connections[0]?.heard("resume")).toEqual({
      type: "resume",
      session_id: "session-1",
      after: 2,
    });
    connections[0]?.say(connected(5));
    for (const [seq, content] of [
      [3, "a"],
      [4, "b"],
      [5, "c"],
      [5, "c"],
      [6, "d"],
    ] as const) {
      connections[0]?.say({ type: "chunk", seq, content });
    }
    connections[0]?.say(done(7, "abcd"));
    expect(views().map(({ parts }) => textOf(parts))).toEqual(["Hi.", "abcd"]);
  });

  it("says that there is no such session, and connects to none", async () => {
    const { chat, connections } = await setUp({ timeline: new Error("not there"), isGone: true });
    expect(chat.state()).toMatchObject({ isNoSession: true });
    expect(connections).toHaveLength(0);
  });

  it("shows a session of somebody else, and connects to none", async () => {
    const others = aTimeline(
      [{ turnId: "t0", startedAt: iso(0), endedAt: iso(1) }],
      [{ role: "user", turnId: "t0", content: "Hello" }],
    );
    const timeline = { ...others, session: { ...others.session, own: false } };
    const { chat, connections, views } = await setUp({ timeline });
    expect(chat.state()).toMatchObject({ isOthers: true });
    expect(views()).toMatchObject([{ question: "Hello" }]);
    expect(connections).toHaveLength(0);
  });

  it("talks in a session whose past cannot be read, and says why", async () => {
    const { chat, views, connections } = await setUp({
      timeline: new Error("You may not read sessions."),
      greeting: connected(1),
    });
    expect(chat.state().unreadable).toBe("You may not read sessions.");
    connections[0]?.say(connected(1), { type: "chunk", seq: 1, content: "kept" });
    expect(views().map(({ parts }) => textOf(parts))).toEqual(["kept"]);
  });

  it("tells of a lost connection, and goes on with the answer", async () => {
    const { chat, connections, views, clock } = await setUp();
    chat.send("Weather?");
    await settled();
    const id = idOfMessage(connections);
    connections[0]?.say({ type: "chunk", seq: 1, message_id: id, content: "Su" });
    connections[0]?.end(1006);
    expect(chat.state().line).toMatchObject({ type: "lost" });
    await clock.advance(1_000);
    connections[1]?.say(connected(0, "other"));
    connections[1]?.say(connected(3), { type: "chunk", seq: 2, content: "n" }, done(3, "Sun", id));
    expect(chat.state().line).toEqual({ type: "open" });
    expect(views()).toMatchObject([{ phase: "done", brokenAfter: 1 }]);
    expect(views().map(({ parts }) => textOf(parts))).toEqual(["Sun"]);
  });

  it("waits for another token when its own has ended, and then goes on where it was", async () => {
    let token = "first";
    const { chat, connections, views, clock } = await setUp({ token: chatToken(() => token) });
    chat.send("Weather?");
    await settled();
    const id = idOfMessage(connections);
    connections[0]?.say({ type: "chunk", seq: 1, message_id: id, content: "Su" });
    connections[0]?.end(4401);
    await clock.advance(1_000);
    expect(chat.state().line).toMatchObject({ type: "given-up", code: "unauthorized" });
    expect(views()).toMatchObject([{ phase: "streaming", question: "Weather?" }]);
    token = "second";
    chat.retry();
    await clock.advance(0);
    expect(connections.map((connection) => connection.token)).toEqual(["first", "second"]);
    connections[1]?.say(connected(0, "other"));
    expect(connections[1]?.heard("resume")).toMatchObject({ after: 1 });
    const answer = [{ type: "chunk", seq: 2, content: "n" }, done(3, "Sun", id)];
    // It asks a second time, to know that it has caught up.
    connections[1]?.say(connected(3), ...answer, connected(3), ...answer);
    expect(chat.state().line).toEqual({ type: "open" });
    expect(views()).toMatchObject([{ phase: "done" }]);
  });

  it("connects when the agent has become ready, after it was given up, but not with a token that is not taken", async () => {
    const { chat, connections, clock } = await setUp({ isSlow: true, token: () => "a token" });
    for (let index = 0; chat.state().line.type !== "given-up"; index += 1) {
      connections[index]?.end(1006);
      await clock.advance(60_000);
    }
    const tries = connections.length;
    chat.agentIsReady();
    await clock.advance(0);
    expect(connections).toHaveLength(tries + 1);
    connections[tries]?.end(4401);
    await clock.advance(0);
    expect(chat.state().line).toMatchObject({ type: "given-up", code: "unauthorized" });
    chat.agentIsReady();
    await clock.advance(0);
    expect(connections).toHaveLength(tries + 1);
  });

  it("answers a call that waits, and shows what the turn that goes on does", async () => {
    const { chat, connections, views, clock } = await setUp();
    chat.send("Refund");
    await settled();
    const id = idOfMessage(connections);
    const approval = { id: "c1", name: "refund", arguments: { amount: 5 }, expires_at: iso(99) };
    connections[0]?.say(
      { type: "approval_request", seq: 1, message_id: id, approval },
      { ...done(2, "", id), finish_reason: "awaiting_approval" },
    );
    expect(views()).toMatchObject([{ phase: "approval" }]);
    await clock.advance(0);
    chat.answer([{ type: "approve", id: "c1", arguments: { amount: 3 } }]);
    expect(connections[0]?.heard("approve")).toMatchObject({ id: "c1", arguments: { amount: 3 } });
    expect(chat.state().answers).toEqual(new Map([["c1", "approve"]]));
    connections[0]?.say({
      type: "tool_call",
      seq: 3,
      turn_id: "t2",
      tool_call: { id: "c1", name: "refund", arguments: { amount: 3 } },
    });
    expect(views().map(({ phase }) => phase)).toEqual(["done", "tool-running"]);
    expect(callsOf(views()[0]?.parts ?? [])).toMatchObject([{ outcome: "decided" }]);
  });

  it("lets a call be answered again whose answer was refused", async () => {
    const { chat, connections, views, clock } = await setUp();
    chat.send("Refund");
    await settled();
    const id = idOfMessage(connections);
    const approval = { id: "c1", name: "refund", arguments: {}, expires_at: iso(99) };
    connections[0]?.say(
      { type: "approval_request", seq: 1, message_id: id, approval },
      { ...done(2, "", id), finish_reason: "awaiting_approval" },
    );
    await clock.advance(0);
    chat.answer([{ type: "approve", id: "c1", arguments: { amount: "x" } }]);
    const details = { id: "c1", open: true };
    const message = "amount must be a number";
    connections[0]?.say({ type: "error", error: { code: "INVALID_MESSAGE", message, details } });
    expect(chat.state()).toMatchObject({ answers: new Map(), refusal: { message } });
    expect(views()).toMatchObject([{ phase: "approval" }]);
  });

  it("fetches what the session counted when a turn has ended", async () => {
    const timeline = aTimeline([
      { turnId: "t1", startedAt: iso(0), endedAt: iso(2), model: "small", replicas: ["a", "b"] },
    ]);
    const { chat, connections, views, clock } = await setUp({ later: timeline });
    chat.send("Weather?");
    await settled();
    const id = idOfMessage(connections);
    connections[0]?.say(done(1, "Sun", id));
    await clock.advance(0);
    expect(views()).toMatchObject([{ model: "small", replicas: ["a", "b"], question: "Weather?" }]);
  });

  it("fetches only what came since the last turn that it knows", async () => {
    const first = { turnId: "t0", startedAt: iso(0), endedAt: iso(1) };
    const second = { turnId: "t1", startedAt: iso(2), endedAt: iso(3) };
    const third = { turnId: "t2", startedAt: iso(4), endedAt: iso(5) };
    const said = [first, second, third].map(
      ({ turnId }) => ({ role: "user", turnId, content: `What is ${turnId}?` }) as const,
    );
    const { connections, views, clock, asked, answerNext } = await setUp({
      timeline: aTimeline([first], said.slice(0, 1)),
    });
    answerNext(aTimeline([first, second], said.slice(0, 2)));
    connections[0]?.say(done(1, "One", "theirs"));
    await clock.advance(0);
    answerNext(aTimeline([second, third], said.slice(1)));
    connections[0]?.say({ ...done(2, "Two", "theirs too"), turn_id: "t2" });
    await clock.advance(0);
    expect(asked).toEqual([undefined, "t0", "t1"]);
    expect(views().map(({ question }) => question)).toEqual([
      "What is t0?",
      "What is t1?",
      "What is t2?",
    ]);
  });

  it("fetches what was asked when another page begins a turn, while its answer comes", async () => {
    const later = aTimeline(
      [{ turnId: "t1", startedAt: iso(0) }],
      [{ role: "user", turnId: "t1", content: "Weather?" }],
    );
    const { connections, views, clock } = await setUp({ later });
    connections[0]?.say({ type: "chunk", seq: 1, message_id: "theirs", content: "Su" });
    await clock.advance(0);
    expect(views()).toMatchObject([{ phase: "streaming", question: "Weather?" }]);
    connections[0]?.say({ type: "chunk", seq: 2, content: "n" });
    expect(views()).toMatchObject([{ phase: "streaming", question: "Weather?" }]);
    expect(views().map(({ parts }) => textOf(parts))).toEqual(["Sun"]);
  });
});

function connected(seq: number, sessionId = "session-1") {
  return { type: "connected", session_id: sessionId, resumed: seq > 0, seq };
}

function done(seq: number, content: string, messageId?: string) {
  const named = messageId === undefined ? {} : { message_id: messageId };
  return { type: "done", seq, content, finish_reason: "stop", ...named };
}

/** What was sent has gone out. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** The id of the message that was sent last. */
function idOfMessage([connection]: readonly Scripted[]): string {
  const message = connection?.heard("message") as { id: string } | undefined;
  return message?.id ?? "none";
}

interface Scripted {
  readonly token: string | undefined;
  say(...frames: object[]): void;
  /** The last frame of the type that came. */
  heard(type: string): unknown;
  end(code: number): void;
}

/** A chat that is connected. `timeline`: what its session remembers; without it the session is new. */
async function setUp({
  timeline,
  later,
  isGone = false,
  isSlow = false,
  greeting = connected(0),
  token = () => undefined,
}: {
  timeline?: SessionTimeline | Error | undefined;
  later?: SessionTimeline | undefined;
  isGone?: boolean;
  /** The agent does not greet by itself. */
  isSlow?: boolean;
  greeting?: object;
  token?: ChatSessionOptions["token"];
} = {}) {
  const clock = new ManualClock();
  const ids = numberedNames("m");
  const connections: Scripted[] = [];
  /** The turns since which the session was asked for. */
  const asked: (string | undefined)[] = [];
  let answer = timeline ?? later;
  const chat = new ChatSession({
    url: "ws://agent.test/ws",
    transport: {
      open: (_url: string, events: ConnectionEvents, credential) => {
        const heard: { type: string }[] = [];
        connections.push({
          token: credential,
          say: (...frames) => {
            for (const frame of frames) {
              const stamped = { session_id: "session-1", timestamp: iso(0), ...frame };
              const isOfTurn = "seq" in frame && !("resumed" in frame);
              events.onText(JSON.stringify(isOfTurn ? { turn_id: "t1", ...stamped } : stamped));
            }
          },
          heard: (type) => heard.findLast((frame) => frame.type === type),
          end: (code) => events.onEnd({ code }),
        });
        return {
          send: (text: string) => void heard.push(JSON.parse(text) as { type: string }),
          close: () => {},
        };
      },
    },
    token,
    clock,
    random: () => 0,
    newMessageId: () => ids.next(),
    sessionId: timeline === undefined ? undefined : "session-1",
    loadTimeline: (_sessionId, { since }) => {
      asked.push(since);
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    isNoSession: () => isGone,
  });
  onTestFinished(() => chat.close());
  const started = chat.start();
  await clock.advance(0);
  if (!isSlow) {
    connections[0]?.say(greeting);
    await started;
  }
  return {
    chat,
    clock,
    connections,
    asked,
    answerNext: (next: SessionTimeline) => {
      answer = next;
    },
    views: () => turnViews(chat.state().conversation),
  };
}
