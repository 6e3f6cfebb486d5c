import { describe, expect, it } from "vitest";
import { MAX_CLIENT_FRAME_BYTES } from "../../../src/protocol/frames.ts";
import { DEFAULT_LIMITS } from "../../../src/agent/contracts/limits.ts";
import type { ChatClient } from "../../support/agent/chat-client.ts";
import { ManualClock } from "../../support/builders/manual-clock.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";

const NO_SESSION = "a-session-that-never-was";

/** A demo agent that thinks for as long as the test lets it. */
async function aSlowAgent(): Promise<{ agent: TestAgent; clock: ManualClock }> {
  const clock = new ManualClock();
  const agent = await TestAgent.start({ config: { handler: "demo" }, clock, env: {} });
  return { agent, clock };
}

/** Lets up to a minute pass until the client was sent a frame of this type. */
async function until(client: ChatClient, clock: ManualClock, type: string): Promise<void> {
  for (let step = 0; step < 600; step++) {
    if (client.frames.some((frame) => frame.type === type)) return;
    await clock.advance(100);
  }
  throw new Error(`there was no ${type}`);
}

describe("a connection", () => {
  it.each(["/", "/ws", "/?agent=helper&namespace=team", "/ws?agent=&namespace="])(
    "is told its new session at once at %s",
    async (path) => {
      const agent = await TestAgent.start();
      const client = await agent.connect(path);
      const connected = await client.next();
      expect(connected).toMatchObject({ type: "connected", resumed: false, seq: 0 });
      expect(Buffer.from(connected.session_id, "base64url").length * 8).toBeGreaterThanOrEqual(128);
    },
  );

  it("costs no session until it speaks", async () => {
    const agent = await TestAgent.start();
    const client = await agent.connect();
    await client.next();
    expect(await agent.metric("omnia_agent_sessions_active")).toBe(0);
    await client.ask("hello");
    expect(await agent.metric("omnia_agent_sessions_active")).toBe(1);
  });

  it("gets its own content back from echo, in frames numbered from 1", async () => {
    const agent = await TestAgent.start();
    const client = await agent.connect();
    const { session_id } = await client.nextOf("connected");
    const content = 'ünïcode 🎉 "quotes"\n\u2028';
    const first = await client.ask(content);
    expect(first).toEqual({
      type: "done",
      session_id,
      turn_id: expect.any(String),
      seq: 1,
      timestamp: expect.any(String),
      content,
      finish_reason: "stop",
    });
    const second = await client.ask("", { session_id, metadata: { any: ["thing"] } });
    expect(second).toMatchObject({ session_id, seq: 2, content: "" });
    expect(second.turn_id).not.toBe(first.turn_id);
  });

  it.each([
    ["text that is not JSON", "hello"],
    ["an array", "[]"],
    ["a frame without type", "{}"],
    ["an unknown type", '{"type":"shout","content":"x"}'],
    ["content that is no string", '{"type":"message","content":{"a":1}}'],
    ["no content", '{"type":"message"}'],
    ["nothing", ""],
  ])("refuses %s, and lives on", async (_, text) => {
    const agent = await TestAgent.start();
    const client = await agent.connect();
    const { session_id } = await client.nextOf("connected");
    client.send(text);
    const error = await client.next();
    expect(error).toMatchObject({ type: "error", session_id, error: { code: "INVALID_MESSAGE" } });
    expect(error).not.toHaveProperty("seq");
    expect(await client.ask("still here")).toMatchObject({ content: "still here", seq: 1 });
  });

  it("refuses binary frames, and lives on", async () => {
    const agent = await TestAgent.start();
    const client = await agent.connect();
    client.socket.send(Buffer.from('{"type":"message","content":"hi"}'));
    expect(await client.nextOf("error")).toMatchObject({ error: { code: "INVALID_MESSAGE" } });
    expect(await client.ask("still here")).toMatchObject({ content: "still here" });
  });

  it("takes frames of up to 512 KiB, and is closed with 1009 for a larger one", async () => {
    const agent = await TestAgent.start();
    const client = await agent.connect();
    const empty = JSON.stringify({ type: "message", content: "" });
    const content = "x".repeat(MAX_CLIENT_FRAME_BYTES - empty.length);
    expect((await client.ask(content)).content).toBe(content);
    client.say(`${content}x`);
    expect(await client.closed).toMatchObject({ code: 1009 });
    const other = await agent.connect();
    expect(await other.ask("hi")).toMatchObject({ content: "hi" });
  });

  it("is closed with 1007 for text that is not UTF-8", async () => {
    const agent = await TestAgent.start();
    const client = await agent.connect();
    client.socket.send(Buffer.from([0xff, 0xfe]), { binary: false });
    expect(await client.closed).toMatchObject({ code: 1007 });
  });

  it("is refused further frames for a moment when it floods", async () => {
    const agent = await TestAgent.start({ clock: new ManualClock() });
    const client = await agent.connect();
    for (let count = 0; count < 250; count++) client.send("{}");
    await expect.poll(() => client.frames.length).toBe(251);
    const codes = client.frames.map((frame) => (frame.type === "error" ? frame.error.code : ""));
    expect(codes.filter((code) => code === "INVALID_MESSAGE")).toHaveLength(200);
    expect(codes.filter((code) => code === "RATE_LIMITED")).toHaveLength(50);
  });

  it("never meets that limit while it waits for its answers", async () => {
    const agent = await TestAgent.start({ clock: new ManualClock() });
    const client = await agent.connect();
    for (let count = 0; count < 500; count++) await client.ask("again");
    expect(client.frames).toHaveLength(501);
  });
});

describe("a session", () => {
  it("is given anew when a message names one that is unknown, and the turn runs in it", async () => {
    const agent = await TestAgent.start();
    const client = await agent.connect();
    const first = await client.nextOf("connected");
    client.say("hello", { session_id: NO_SESSION });
    const second = await client.nextOf("connected");
    expect(second).toMatchObject({ resumed: false, seq: 0 });
    expect([first.session_id, NO_SESSION]).not.toContain(second.session_id);
    expect(await client.nextOf("done")).toMatchObject({ session_id: second.session_id, seq: 1 });
    expect(await client.ask("and now")).toMatchObject({ session_id: second.session_id, seq: 2 });
  });

  it("is given anew when the connection's own has expired", async () => {
    const clock = new ManualClock();
    const agent = await TestAgent.start({
      clock,
      config: { session: { type: "memory", ttlMs: 1_000 } },
    });
    const client = await agent.connect();
    const first = await client.ask("hello");
    await clock.advance(5_000);
    client.say("anyone?");
    expect((await client.nextOf("connected")).session_id).toBe(
      (await client.nextOf("done")).session_id,
    );
    expect(client.frames.at(-1)?.session_id).not.toBe(first.session_id);
  });

  it("goes on from another connection that names it", async () => {
    const agent = await TestAgent.start();
    const { session_id } = await (await agent.connect()).ask("one");
    const other = await agent.connect();
    expect(await other.ask("two", { session_id })).toMatchObject({ session_id, seq: 2 });
    // Its own session is still the one of its `connected`.
    const own = (await other.ask("three")).session_id;
    expect(own).toBe(other.frames[0]?.session_id);
  });

  it("is taken up again by ?session_id=", async () => {
    const agent = await TestAgent.start();
    const { session_id } = await (await agent.connect()).ask("one");
    const client = await agent.connect(`/ws?session_id=${session_id}`);
    expect(await client.next()).toMatchObject({
      type: "connected",
      session_id,
      resumed: true,
      seq: 1,
    });
    expect(await client.ask("two")).toMatchObject({ session_id, seq: 2 });
  });

  it.each([NO_SESSION, "not%20an%20id", "x".repeat(300)])(
    "that is unknown by ?session_id=%s is said to be, and the connection goes on with a new one",
    async (name) => {
      const agent = await TestAgent.start();
      const client = await agent.connect(`/?session_id=${name}`);
      expect(await client.next()).toMatchObject({
        type: "error",
        session_id: decodeURIComponent(name),
        error: { code: "SESSION_NOT_FOUND" },
      });
      const connected = await client.nextOf("connected");
      expect(connected).toMatchObject({ resumed: false, seq: 0 });
      expect(await client.ask("hello")).toMatchObject({ session_id: connected.session_id, seq: 1 });
    },
  );

  it("shows the frames of its turns to every connection that is in it", async () => {
    const agent = await TestAgent.start();
    const first = await agent.connect();
    const { session_id } = await first.ask("one");
    const second = await agent.connect(`/?session_id=${session_id}`);
    await second.nextOf("connected");
    first.say("two");
    expect(await second.nextOf("done")).toMatchObject({ content: "two", seq: 2 });
    expect(await second.ask("three")).toMatchObject({ seq: 3 });
    expect(await first.nextOf("done")).toMatchObject({ content: "two" });
    expect(await first.nextOf("done")).toMatchObject({ content: "three" });
  });
});

describe("the demo", () => {
  it.each([
    ["hello", ["chunk", "done"]],
    ["I forgot my password", ["tool_call", "tool_result", "chunk", "done"]],
    ["What is the weather?", ["tool_call", "tool_result", "chunk", "done"]],
    ["this", ["chunk", "done"]],
  ])("answers %j in the frames of the protocol, without a gap", async (content, types) => {
    const agent = await TestAgent.start({ config: { handler: "demo" } });
    const client = await agent.connect();
    const done = await client.ask(content);
    const [, ...frames] = client.frames;
    const seen = frames
      .map(({ type }) => type)
      .filter((type, index, all) => type !== all[index - 1]);
    expect(seen).toEqual(types);
    expect(frames.map((frame) => ("seq" in frame ? frame.seq : 0))).toEqual(
      frames.map((_, index) => index + 1),
    );
    expect(new Set(frames.map((frame) => ("turn_id" in frame ? frame.turn_id : "")))).toEqual(
      new Set([done.turn_id]),
    );
    expect(done.content).toBe(
      frames.map((frame) => (frame.type === "chunk" ? frame.content : "")).join(""),
    );
  });
});

describe("a turn", () => {
  it("is one at a time in a session, whichever connection asks", async () => {
    const { agent, clock } = await aSlowAgent();
    const client = await agent.connect();
    const { session_id } = await client.nextOf("connected");
    client.say("hello");
    await until(client, clock, "chunk");
    client.say("me too");
    const error = await client.nextOf("error");
    expect(error).toMatchObject({ session_id, error: { code: "TURN_IN_PROGRESS" } });
    expect(error).not.toHaveProperty("seq");
    const other = await agent.connect();
    other.say("and me", { session_id });
    expect(await other.nextOf("error")).toMatchObject({
      session_id,
      error: { code: "TURN_IN_PROGRESS" },
    });
    // In its own session nothing is in the way.
    other.say("hello");
    await until(other, clock, "done");
    await until(client, clock, "done");
    expect(await client.nextOf("done")).toMatchObject({ finish_reason: "stop" });
  });

  it("is refused where one connection follows too many sessions already", async () => {
    const { agent, clock } = await aSlowAgent();
    const sessions: string[] = [];
    for (let count = 0; count < DEFAULT_LIMITS.maxSessionsPerConnection; count++) {
      const other = await agent.connect();
      other.say("hello");
      await until(other, clock, "done");
      sessions.push((await other.nextOf("done")).session_id);
    }
    const client = await agent.connect();
    for (const session_id of sessions) client.say("hello", { session_id });
    client.say("hello");
    expect(await client.nextOf("error")).toMatchObject({ error: { code: "RATE_LIMITED" } });
    await until(client, clock, "done");
    client.say("hello");
    await expect
      .poll(async () => {
        await clock.advance(1_000);
        return client.frames.filter(({ type }) => type === "done").length;
      })
      .toBe(DEFAULT_LIMITS.maxSessionsPerConnection + 1);
  });

  it("ends with what was said so far when it is cancelled", async () => {
    const { agent, clock } = await aSlowAgent();
    const client = await agent.connect();
    client.say("hello");
    await until(client, clock, "chunk");
    client.send({ type: "cancel" });
    const done = await client.nextOf("done");
    const said = client.frames
      .map((frame) => (frame.type === "chunk" ? frame.content : ""))
      .join("");
    expect(done).toMatchObject({ finish_reason: "cancelled", content: said });
    expect(said).not.toBe("");
    client.say("hello");
    await until(client, clock, "done");
    expect(
      await agent.metric("omnia_agent_requests_total", { status: "cancelled", handler: "demo" }),
    ).toBe(1);
  });

  it("can be cancelled before its first chunk, and from another connection of the session", async () => {
    const { agent } = await aSlowAgent();
    const client = await agent.connect();
    const { session_id } = await client.nextOf("connected");
    client.say("hello");
    client.send({ type: "cancel" });
    expect(await client.nextOf("done")).toMatchObject({
      finish_reason: "cancelled",
      content: "",
      seq: 1,
    });
    client.say("hello again");
    await expect.poll(() => agent.metric("omnia_agent_requests_inflight")).toBe(1);
    const other = await agent.connect();
    other.send({ type: "cancel", session_id });
    expect(await client.nextOf("done")).toMatchObject({ finish_reason: "cancelled", seq: 2 });
  });

  it("that is not there cannot be cancelled, and nobody minds", async () => {
    const agent = await TestAgent.start();
    const client = await agent.connect();
    client.send({ type: "cancel" });
    client.send({ type: "cancel", session_id: NO_SESSION });
    await client.ask("hello");
    client.send({ type: "cancel" });
    expect(await client.ask("hello")).toMatchObject({ seq: 2 });
    expect(client.frames.map(({ type }) => type)).toEqual(["connected", "done", "done"]);
  });

  it("goes on when its client leaves, and is told from where it was left", async () => {
    const { agent, clock } = await aSlowAgent();
    const client = await agent.connect();
    const { session_id } = await client.nextOf("connected");
    client.say("hello");
    await until(client, clock, "chunk");
    const left = client.frames.findLast((frame) => frame.type === "chunk");
    client.socket.terminate();
    await clock.advance(500);

    const again = await agent.connect();
    await again.nextOf("connected");
    again.send({ type: "resume", session_id, after: left?.seq });
    expect(await again.nextOf("connected")).toMatchObject({ session_id, resumed: true });
    await until(again, clock, "done");
    const seqs = again.frames.slice(2).map((frame) => ("seq" in frame ? frame.seq : 0));
    expect(seqs).toEqual(seqs.map((_, index) => (left?.seq ?? 0) + 1 + index));
    expect(again.frames.at(-1)).toMatchObject({ type: "done", finish_reason: "stop" });
  });

  it("is followed live from where ?session_id= found it", async () => {
    const { agent, clock } = await aSlowAgent();
    const client = await agent.connect();
    const { session_id } = await client.nextOf("connected");
    client.say("weather");
    await until(client, clock, "tool_call");
    const other = await agent.connect(`/?session_id=${session_id}`);
    const connected = await other.nextOf("connected");
    expect(connected).toMatchObject({ resumed: true, seq: 1 });
    await until(other, clock, "done");
    expect(other.frames.map(({ type }) => type).slice(0, 3)).toEqual([
      "connected",
      "tool_result",
      "chunk",
    ]);
  });

  it("can be replayed when it has ended", async () => {
    const agent = await TestAgent.start({ config: { handler: "demo" } });
    const client = await agent.connect();
    const { session_id } = await client.ask("weather");
    const frames = client.frames.slice(1);
    const other = await agent.connect();
    await other.next();
    other.send({ type: "resume", session_id, after: 0 });
    await other.nextOf("done");
    expect(other.frames[1]).toMatchObject({
      type: "connected",
      session_id,
      resumed: true,
      seq: frames.length,
    });
    expect(other.frames.slice(2)).toEqual(frames);
    // It is the connection's own session from then on.
    expect(await other.ask("hello")).toMatchObject({ session_id });
  });

  it("of an unknown session cannot be resumed, and the connection keeps its own", async () => {
    const agent = await TestAgent.start();
    const client = await agent.connect();
    const own = await client.nextOf("connected");
    client.send({ type: "resume", session_id: NO_SESSION, after: 3 });
    expect(await client.next()).toMatchObject({
      type: "error",
      session_id: NO_SESSION,
      error: { code: "SESSION_NOT_FOUND" },
    });
    client.send({ type: "resume", session_id: own.session_id, after: 0 });
    expect(await client.next()).toMatchObject({
      type: "connected",
      session_id: own.session_id,
      seq: 0,
    });
    expect(await client.ask("hello")).toMatchObject({ session_id: own.session_id, seq: 1 });
  });

  it("is not run again for a message with the same id: its frames are sent again", async () => {
    const agent = await TestAgent.start();
    const client = await agent.connect();
    const first = await client.ask("pay", { id: "m-1" });
    expect(await client.ask("pay", { id: "m-1" })).toEqual(first);
    expect(await client.ask("pay", { id: "m-2" })).toMatchObject({ seq: 2 });
    const other = await agent.connect();
    expect(await other.ask("pay", { id: "m-1", session_id: first.session_id })).toEqual(first);
    expect(
      await agent.metric("omnia_agent_requests_total", { status: "success", handler: "echo" }),
    ).toBe(2);
  });

  it("is followed from its begin by a client that lost its connection and sends the message again", async () => {
    const { agent, clock } = await aSlowAgent();
    const client = await agent.connect();
    const { session_id } = await client.nextOf("connected");
    client.say("weather", { id: "m-1" });
    client.say("weather", { id: "m-1" });
    await until(client, clock, "chunk");
    client.socket.terminate();
    const other = await agent.connect(`/?session_id=${session_id}`);
    await other.nextOf("connected");
    other.say("weather", { id: "m-1" });
    await until(other, clock, "done");
    // What came live before it asked comes first.
    const asked = other.frames.findIndex((frame) => "seq" in frame && frame.seq === 1);
    const frames = other.frames.slice(asked);
    expect(frames.map(({ type }) => type).filter((type) => type !== "chunk")).toEqual([
      "tool_call",
      "tool_result",
      "done",
    ]);
    expect(frames.map((frame) => ("seq" in frame ? frame.seq : 0))).toEqual(
      frames.map((_, index) => index + 1),
    );
  });
});
