import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { rejectionOf } from "../../../test/support/builders/rejection-of.ts";
import { createLog } from "../../observability/log.ts";
import { createMetrics } from "../../observability/metrics.ts";
import type { TurnFrame } from "../../protocol/frames.ts";
import { createAgentMetrics } from "../contracts/agent-metrics.ts";
import {
  MAX_UNSTORED_CHARACTERS,
  MAX_WRITE_INTERVAL_MS,
  TURN_WRITE_RETRIES_MS,
} from "../contracts/limits.ts";
import { MemorySessionStore } from "../sessions/memory/memory-session-store.ts";
import { StoreUnavailableError, type SessionStore } from "../sessions/session-store.ts";
import type { JournalEntry } from "../sessions/turn-journal.ts";
import { SessionFeeds } from "./session-feeds.ts";
import { StopSignal } from "./stop-signal.ts";
import type { StoredEnding } from "./turn-ending.ts";
import { TurnWriter } from "./turn-writer.ts";
import { WritePace } from "./write-pace.ts";
import { OWNER, CLIENT } from "../sessions/contract/turns.ts";

const SESSION = "session-1";
const STOP: StoredEnding = {
  type: "done",
  finishReason: "stop",
  usage: undefined,
  content: undefined,
};
const NO_PAUSES = { messages: [], pausesMs: [], sessionTtlMs: 60_000 };

type Write = "pass" | "lose" | Error;

/** A memory store whose writes wait for `hold`, and then fail, or are acknowledged and lost. */
class FaultyStore extends MemorySessionStore {
  override readonly mayLoseWrites = true;
  /** The numbers of the frames of each write, and the types of its journal entries. */
  readonly writes: (number | JournalEntry["type"])[][] = [];
  next: (write: number) => Write = () => "pass";
  hold: Promise<void> | undefined;

  override async appendFrames(...args: Parameters<SessionStore["appendFrames"]>): Promise<void> {
    const [, frames, journal] = args;
    const entries = journal?.entries.map(({ type }) => type) ?? [];
    this.writes.push([...frames.map(({ seq }) => seq), ...entries]);
    const outcome = this.next(this.writes.length);
    await this.hold;
    if (outcome instanceof Error) throw outcome;
    if (outcome === "pass") await super.appendFrames(...args);
  }
}

async function aWriter(messageId?: string) {
  const clock = new ManualClock();
  const store = new FaultyStore({ ttlMs: 3_600_000, clock });
  await store.create(SESSION, CLIENT);
  const begun = await store.beginTurn(SESSION, OWNER, { turnId: "turn-1", userMessage: "hello" });
  if (begun.status !== "started") throw new Error(begun.status);
  const feeds = new SessionFeeds();
  const reader: { room: PromiseWithResolvers<void> | undefined } = { room: undefined };
  const published: TurnFrame[] = [];
  feeds.follow(SESSION, {
    deliver: (frames) => void published.push(...frames.map(({ frame }) => frame)),
    deliverFailure: (text) => expect.fail(text),
    turnMoved: () => expect.fail("the turn has moved"),
    whenWritable: () => reader.room?.promise,
  });
  const collected = createMetrics({ processMetrics: false });
  const metrics = createAgentMetrics(collected, {
    connectionsActive: () => 0,
    sessionsActive: () => 0,
    requestsInflight: () => 0,
  });
  const stop = new StopSignal();
  const pace = new WritePace(clock);
  const writer = new TurnWriter(
    { feeds, clock, pace, metrics, log: createLog({ level: "silent" }) },
    {
      lease: begun.lease,
      store,
      stop,
      messageId,
      receivedAt: clock.monotonic(),
      lastSeq: begun.lease.seqBefore,
      journaled: 0,
      known: [],
    },
  );
  const say = (content: string) => writer.emit({ type: "chunk", content });
  /** The frames that the store has. */
  const storedFrames = async () => {
    const frames: TurnFrame[] = [];
    for await (const some of store.frames(SESSION, 0, AbortSignal.timeout(5_000))) {
      frames.push(...some);
      if (some.some(({ type }) => type === "done")) break;
    }
    return frames;
  };
  return {
    writer,
    store,
    stop,
    clock,
    pace,
    reader,
    published,
    say,
    storedFrames,
    metrics: collected,
  };
}

/** Whether the promise has settled by the time that all that can go on has gone on. */
async function isSettled(promise: Promise<unknown>, clock: ManualClock): Promise<boolean> {
  let settled = false;
  const settle = () => void (settled = true);
  promise.then(settle, settle);
  await clock.advance(0);
  return settled;
}

describe("a writer", () => {
  it("writes in one step what is emitted in one go, with its journal, and publishes it then", async () => {
    const { writer, store, say, published } = await aWriter();
    void say("Let me ");
    void say("see.");
    writer.record({ role: "assistant", turnId: "turn-1", content: "Let me see." }, undefined);
    expect([store.writes, published]).toEqual([[], []]);
    await writer.stored();
    expect(store.writes).toEqual([[1, "said", "step"]]);
    expect(published).toMatchObject([{ type: "chunk", seq: 1, content: "Let me see." }]);
    expect(writer.publishedSeq).toBe(1);
  });

  it("makes one chunk of the texts between two tool events, in the order in which all of them came", async () => {
    const { writer, store, say, published } = await aWriter();
    void say("Let me ");
    void say("see.");
    void writer.emit({ type: "tool-call", id: "call-1", name: "look", arguments: {} });
    void writer.emit({ type: "tool-result", id: "call-1", result: "rain" });
    void say("It ");
    void say("rains.");
    await writer.stored();
    expect(store.writes).toEqual([[1, 2, 3, 4, "said", "call-started", "call-done", "said"]]);
    expect(published).toMatchObject([
      { type: "chunk", seq: 1, content: "Let me see." },
      { type: "tool_call", seq: 2 },
      { type: "tool_result", seq: 3 },
      { type: "chunk", seq: 4, content: "It rains." },
    ]);
  });

  it("sends the first text at once, and joins what follows without a wait", async () => {
    const { writer, say, clock, published } = await aWriter();
    for (const content of ["a", "b", "c", "d", "e"]) await say(content);
    await writer.stored();
    expect(published).toMatchObject([
      { seq: 1, content: "a" },
      { seq: 2, content: "bcde" },
    ]);
    await clock.advance(0);
    for (const content of ["f", "g"]) await say(content);
    await writer.stored();
    expect(published.slice(2)).toMatchObject([{ seq: 3, content: "fg" }]);
  });

  it("sends each text by itself that comes by itself", async () => {
    const { say, clock, published } = await aWriter();
    for (const content of ["a", "b", "c"]) {
      await say(content);
      await clock.advance(0);
    }
    expect(published).toMatchObject([{ content: "a" }, { content: "b" }, { content: "c" }]);
  });

  it("gathers what comes while a write is under way for the next one", async () => {
    const { writer, store, say, clock, published } = await aWriter();
    const { promise, resolve } = Promise.withResolvers<void>();
    store.hold = promise;
    void say("a");
    await clock.advance(0);
    void say("b");
    void say("c");
    const stored = writer.stored();
    expect(await isSettled(stored, clock)).toBe(false);
    expect(published).toEqual([]);
    resolve();
    await stored;
    expect(store.writes).toEqual([
      [1, "said"],
      [2, "said"],
    ]);
    expect(published).toMatchObject([{ content: "a" }, { content: "bc" }]);
  });

  it("writes what was only recorded when it is asked to, and nothing when there is nothing", async () => {
    const { writer, store } = await aWriter();
    await writer.stored();
    writer.record({ role: "assistant", turnId: "turn-1", content: "" }, undefined);
    expect(store.writes).toEqual([]);
    await writer.stored();
    expect(store.writes).toEqual([["step"]]);
  });

  it("makes nothing of an empty chunk", async () => {
    const { writer, say, store } = await aWriter();
    await say("");
    await writer.stored();
    expect(store.writes).toEqual([]);
  });

  it("tells the client's message id with the first frame and with the last", async () => {
    const { writer, say } = await aWriter("message-1");
    void say("a");
    void writer.emit({ type: "tool-call", id: "call-1", name: "look", arguments: {} });
    const frames = await writer.end(STOP, { answer: "a", ...NO_PAUSES });
    expect(frames.map((frame) => frame.message_id)).toEqual(["message-1", undefined, "message-1"]);
    expect(frames.at(-1)).toMatchObject({ type: "done", content: "a", seq: 3 });
  });

  it("measures the time to the first chunk once", async () => {
    const { writer, say, clock, metrics } = await aWriter();
    await clock.advance(1_000);
    void say("a");
    await writer.stored();
    await clock.advance(1_000);
    void say("b");
    await writer.stored();
    const text = await metrics.text();
    expect(text).toMatch(/^omnia_agent_time_to_first_chunk_seconds_count\{version=""\} 1$/m);
    expect(text).toMatch(/^omnia_agent_time_to_first_chunk_seconds_sum\{version=""\} 1$/m);
  });
});

describe("a handler that emits", () => {
  it("waits while too much is unstored", async () => {
    const { store, say, clock } = await aWriter();
    const { promise, resolve } = Promise.withResolvers<void>();
    store.hold = promise;
    expect(await isSettled(say("x".repeat(MAX_UNSTORED_CHARACTERS)), clock)).toBe(true);
    await say("a");
    const room = say("x".repeat(MAX_UNSTORED_CHARACTERS));
    expect(await isSettled(room, clock)).toBe(false);
    resolve();
    await room;
  });

  it("waits for a follower that can take no more, and is not silent meanwhile", async () => {
    const { writer, reader, say, clock } = await aWriter();
    reader.room = Promise.withResolvers();
    const room = say("a");
    await clock.advance(60_000);
    expect(await isSettled(room, clock)).toBe(false);
    expect(writer.silentSince).toBeUndefined();
    const { resolve } = reader.room;
    reader.room = undefined;
    resolve();
    await room;
    expect(writer.silentSince).toBe(60_000);
    await clock.advance(5_000);
    expect(writer.silentSince).toBe(60_000);
  });

  it("is let go of when the turn has to stop, whatever it waits for", async () => {
    const { writer, reader, store, stop, say } = await aWriter();
    reader.room = Promise.withResolvers();
    store.hold = new Promise(() => {});
    const waits = [say("a"), rejectionOf(writer.stored())];
    stop.stop("cancelled");
    const [, refused] = await Promise.all(waits);
    expect(refused).toBe(stop.stopped);
  });
});

describe("a store that does not answer", () => {
  const away = new StoreUnavailableError("away");

  it("is asked again after each pause, and the frames go out when it has them", async () => {
    const { writer, store, stop, say, clock, published } = await aWriter();
    store.next = (write) => (write < 3 ? away : "pass");
    void say("a");
    const stored = writer.stored();
    await clock.advance(TURN_WRITE_RETRIES_MS[0]);
    expect([store.writes.length, published]).toEqual([2, []]);
    await clock.advance(TURN_WRITE_RETRIES_MS[1]);
    await stored;
    expect(published).toMatchObject([{ seq: 1 }]);
    expect(stop.stopped).toBeUndefined();
  });

  it("stops the turn in the end, and is given all of it once more with the last frame", async () => {
    const { writer, store, stop, say, clock, published } = await aWriter();
    store.next = () => away;
    void say("a");
    await clock.advance(TURN_WRITE_RETRIES_MS.reduce((sum, pause) => sum + pause, 0));
    expect(stop.stopped?.reason).toBe("store-unavailable");
    expect(store.writes).toHaveLength(1 + TURN_WRITE_RETRIES_MS.length);
    expect(writer.hasUnstoredFrames).toBe(true);
    const frames = await writer.end(STOP, { answer: "a", ...NO_PAUSES });
    expect(frames.map(({ seq }) => seq)).toEqual([1, 2]);
    expect(published).toEqual([]);
    writer.publish(frames);
    expect(published).toEqual(frames);
  });

  it("is not asked again once the turn has to stop", async () => {
    const { writer, store, stop, say, clock } = await aWriter();
    store.next = () => away;
    void say("a");
    await clock.advance(0);
    stop.stop("cancelled");
    await clock.advance(60_000);
    expect(store.writes).toHaveLength(2);
    expect(writer.writing).toBeUndefined();
    expect(stop.stopped?.reason).toBe("cancelled");
  });
});

describe("a store that has lost what it acknowledged", () => {
  it("is written it again with the next frames", async () => {
    const { writer, store, say, storedFrames } = await aWriter();
    store.next = (write) => (write === 2 ? "lose" : "pass");
    for (const content of ["a", "b", "c"]) {
      void say(content);
      await writer.stored();
    }
    expect(store.writes).toEqual([
      [1, "said"],
      [2, "said"],
      [3, "said"],
      [2, 3, "said", "said"],
    ]);
    await writer.end(STOP, { answer: "abc", ...NO_PAUSES });
    expect((await storedFrames()).map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  });

  it("is written it again with the last frame", async () => {
    const { writer, store, say, storedFrames } = await aWriter();
    store.next = (write) => (write === 1 ? "lose" : "pass");
    void say("a");
    await writer.stored();
    await writer.end(STOP, { answer: "a", ...NO_PAUSES });
    expect((await storedFrames()).map(({ seq }) => seq)).toEqual([1, 2]);
  });

  it("stops the turn when what it has lost is not known any more", async () => {
    const { writer, store, stop, say, clock } = await aWriter();
    store.next = (write) => (write === 1 ? "lose" : "pass");
    void say("a");
    await writer.stored();
    await clock.advance(6_000);
    store.next = (write) => (write === 2 ? "lose" : "pass");
    void say("b");
    await writer.stored();
    void say("c");
    expect(await rejectionOf(writer.stored())).toBe(stop.stopped);
    expect(stop.stopped?.reason).toBe("store-unavailable");
  });
});

describe("a writer whose lease another replica has", () => {
  it("writes and publishes nothing more", async () => {
    const { writer, store, stop, say, clock, published } = await aWriter();
    await clock.advance(60_000);
    expect(await store.takeOver(SESSION, OWNER, "claim")).toMatchObject({ status: "taken" });
    void say("a");
    expect(await rejectionOf(writer.stored())).toBe(stop.stopped);
    expect(stop.stopped?.reason).toBe("lease-lost");
    expect(published).toEqual([]);
  });
});

/** A writer beside a hundred other turns that stream, which has written its first text. */
async function aWriterOfMany() {
  const writer = await aWriter();
  for (let streams = 0; streams < 100; streams++) writer.pace.enter();
  void writer.say("first ");
  await writer.clock.advance(0);
  expect(writer.published).toMatchObject([{ content: "first " }]);
  return writer;
}

describe("a writer beside many others", () => {
  it("joins the texts that come within the pace", async () => {
    const { say, clock, published, store } = await aWriterOfMany();
    for (const content of ["a", "b", "c"]) {
      await clock.advance(10);
      void say(content);
    }
    await clock.advance(0);
    expect(published).toHaveLength(1);
    await clock.advance(MAX_WRITE_INTERVAL_MS);
    expect(published.slice(1)).toMatchObject([{ seq: 2, content: "abc" }]);
    expect(store.writes).toEqual([
      [1, "said"],
      [2, "said"],
    ]);
    expect(clock.pendingTimers).toBe(1);
  });

  it("writes a text at once whose turn has written nothing for as long as the pace", async () => {
    const { say, clock, published } = await aWriterOfMany();
    await clock.advance(MAX_WRITE_INTERVAL_MS);
    void say("a");
    await clock.advance(0);
    expect(published.slice(1)).toMatchObject([{ content: "a" }]);
  });

  it("writes a tool event at once, with the text before it", async () => {
    const { writer, say, clock, published } = await aWriterOfMany();
    void say("a");
    await clock.advance(0);
    void writer.emit({ type: "tool-call", id: "call-1", name: "look", arguments: {} });
    await clock.advance(0);
    expect(published.slice(1)).toMatchObject([{ content: "a" }, { type: "tool_call" }]);
  });

  it("writes at once what somebody waits for, and once only", async () => {
    const { writer, say, clock, store, published } = await aWriterOfMany();
    void say("a");
    await clock.advance(0);
    await writer.stored();
    expect(published.slice(1)).toMatchObject([{ content: "a" }]);
    await clock.advance(10 * MAX_WRITE_INTERVAL_MS);
    expect(store.writes).toHaveLength(2);
  });

  it("writes what came meanwhile right behind the write that is under way when somebody waits for it", async () => {
    const { writer, say, clock, store, published } = await aWriterOfMany();
    const { promise, resolve } = Promise.withResolvers<void>();
    await clock.advance(MAX_WRITE_INTERVAL_MS);
    store.hold = promise;
    void say("a");
    await clock.advance(0);
    void say("b");
    const stored = writer.stored();
    resolve();
    await stored;
    expect(published.slice(1)).toMatchObject([{ content: "a" }, { content: "b" }]);
  });

  it("lets a text wait that came while another was written", async () => {
    const { say, clock, store, published } = await aWriterOfMany();
    const { promise, resolve } = Promise.withResolvers<void>();
    await clock.advance(MAX_WRITE_INTERVAL_MS);
    store.hold = promise;
    void say("a");
    await clock.advance(0);
    void say("b");
    resolve();
    await clock.advance(0);
    expect(published.slice(1)).toMatchObject([{ content: "a" }]);
    await clock.advance(MAX_WRITE_INTERVAL_MS);
    expect(published.slice(2)).toMatchObject([{ content: "b" }]);
  });

  it("writes a long text at once, so that the handler need not wait for the pace", async () => {
    const { say, clock, published } = await aWriterOfMany();
    const long = "x".repeat(MAX_UNSTORED_CHARACTERS + 1);
    await say(long);
    await clock.advance(0);
    expect(published.slice(1)).toMatchObject([{ content: long }]);
  });

  it("writes the rest at once when no event will come any more, and streams no longer", async () => {
    const { writer, say, clock, pace, published, storedFrames } = await aWriterOfMany();
    for (let streams = 0; streams < 100; streams++) pace.leave();
    expect(pace.intervalMs).toBe(0);
    for (let streams = 0; streams < 100; streams++) pace.enter();
    void say("a");
    await clock.advance(0);
    expect(published).toHaveLength(1);
    await writer.finish();
    expect(published.slice(1)).toMatchObject([{ content: "a" }]);
    const frames = await writer.end(STOP, { answer: "first a", ...NO_PAUSES });
    await clock.advance(10 * MAX_WRITE_INTERVAL_MS);
    expect(frames).toMatchObject([{ type: "done", seq: 3 }]);
    expect(await storedFrames()).toHaveLength(3);
    expect(writer.finish()).toBeUndefined();
  });

  it("tries nothing again that waited once its turn has to stop", async () => {
    const { writer, say, clock, stop, store } = await aWriterOfMany();
    store.next = () => new StoreUnavailableError("away");
    void say("a");
    await clock.advance(MAX_WRITE_INTERVAL_MS);
    stop.stop("cancelled");
    await expect(writer.stored()).rejects.toThrow("cancelled");
    await clock.advance(60_000);
    expect(store.writes.length).toBeLessThanOrEqual(3);
    expect(writer.writing).toBeUndefined();
  });
});
