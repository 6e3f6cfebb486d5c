import { describe, expect, it } from "vitest";
import {
  chunk,
  connect,
  connected,
  done,
  never,
  seqs,
  serve,
  type Connection,
  type Frame,
  type Script,
} from "../../../test/support/agent/scripted-server.ts";
import { webSocketTransport } from "./web-socket-transport.ts";

describe("SessionClient", () => {
  it("resumes where it was when the connection drops in the middle of a turn, giving each frame once", async () => {
    let resume: Frame = {};
    const url = await serve(
      async (server) => {
        server.say(connected);
        await server.hear();
        server.say(chunk(1, "a"), chunk(2, "b"));
        setImmediate(() => server.drop());
      },
      async (server) => {
        server.say({ ...connected, session_id: "fresh" });
        resume = await server.hear();
        server.say({ ...connected, resumed: true, seq: 3 });
        server.say(chunk(2, "b"), chunk(3, "c"), done(4, "abc"));
      },
    );
    const states: string[] = [];
    const { client, frames } = await connect(url, { onHeldUp: (state) => states.push(state) });
    expect(await client.turn("hi", never)).toMatchObject({ content: "abc" });
    expect(resume).toEqual({ type: "resume", session_id: "s1", after: 2 });
    expect(seqs(frames)).toEqual([1, 2, 3, 4]);
    // Nobody has to know about it.
    expect(states).toEqual([]);
    expect(client.sessionId).toBe("s1");
  });

  it("sends the message again, under the same id, when nothing came of it before the drop", async () => {
    const messages: Frame[] = [];
    const url = await serve(
      async (server) => {
        server.say(connected);
        messages.push(await server.hear());
        server.drop();
      },
      async (server) => {
        server.say({ ...connected, session_id: "fresh" });
        messages.push(await server.hear());
        server.say(done(1, "yes"));
      },
    );
    const { client } = await connect(url);
    expect(await client.turn("hi", never)).toMatchObject({ content: "yes" });
    expect(messages[1]).toEqual(messages[0]);
  });

  it("ends the turn with the server's error when the session is gone after a drop", async () => {
    const url = await serve(
      async (server) => {
        server.say(connected);
        await server.hear();
        server.say(chunk(1, "a"));
        setImmediate(() => server.drop());
      },
      async (server) => {
        server.say({ ...connected, session_id: "fresh" });
        await server.hear();
        server.say({ type: "error", error: { code: "SESSION_NOT_FOUND", message: "gone" } });
      },
    );
    const { client } = await connect(url);
    expect(await client.turn("hi", never)).toMatchObject({
      type: "error",
      error: { code: "SESSION_NOT_FOUND" },
    });
  });

  it("gives a turn up when connecting again stays in vain", async () => {
    const dropping: Script = async (server) => {
      server.say(connected);
      await server.hear();
      server.drop();
    };
    const url = await serve(dropping, dropping);
    const { client } = await connect(url, { policy: { limitMs: 0 } });
    await expect(client.turn("hi", never)).rejects.toMatchObject({
      code: "unreachable",
      message: "The connection drops again and again.",
    });
  });

  it("stays in its session when the connection drops between turns, and misses nothing of it", async () => {
    const dropped = Promise.withResolvers<void>();
    const url = await serve(
      async (server) => {
        server.say(connected);
        await server.hear();
        server.say(done(1, "one"));
        await dropped.promise;
        server.close(1001);
      },
      async (server) => {
        server.say({ ...connected, session_id: "fresh" });
        expect(await server.hear()).toEqual({ type: "resume", session_id: "s1", after: 1 });
        server.say({ ...connected, resumed: true, seq: 2 });
        server.say({ ...done(2, "for another"), turn_id: "t2" });
        const { session_id } = await server.hear();
        server.say({ ...done(3, `two in ${session_id as string}`), turn_id: "t3" });
      },
    );
    const missed = Promise.withResolvers<void>();
    const { client } = await connect(url, {
      onFrame: (_frame, text, isOwn) => {
        if (text.includes("for another") && !isOwn) missed.resolve();
      },
    });
    await client.turn("1", never);
    dropped.resolve();
    await missed.promise;
    expect(await client.turn("2", never)).toMatchObject({ content: "two in s1" });
  });

  it("takes up the new session when the connection drops before anything was said", async () => {
    let heard: Frame = {};
    const url = await serve(
      (server) => {
        server.say(connected);
        setImmediate(() => server.drop());
      },
      async (server) => {
        server.say({ ...connected, session_id: "s2" });
        heard = await server.hear();
        server.say({ ...done(1, "hello"), session_id: "s2" });
      },
    );
    const { client } = await connect(url);
    await expect.poll(() => client.sessionId).toBe("s2");
    await client.turn("hi", never);
    expect(heard).toMatchObject({ type: "message", session_id: "s2" });
  });

  it("connects again when its first connection drops, since an agent may be about to be replaced", async () => {
    const url = await serve(
      (server) => server.drop(),
      async (server) => {
        server.say(connected);
        await server.hear();
        server.say(done(1, "hello"));
      },
    );
    const late: string[] = [];
    const { client } = await connect(url, { onOpeningLate: ({ message }) => late.push(message) });
    expect(await client.turn("hi", never)).toMatchObject({ content: "hello" });
    expect(late).toHaveLength(1);
  });

  it("gives its first connection up after a while", async () => {
    const drops = Array.from({ length: 50 }, () => (server: Connection) => server.drop());
    const url = await serve(...drops);
    const policy = { firstMs: 1, longestMs: 2, openingMs: 20 };
    await expect(connect(url, { policy })).rejects.toMatchObject({ code: "unreachable" });
  });

  it("says its first message in the session of the connection that it is said over", async () => {
    let message: Frame = {};
    const url = await serve(
      (server) => {
        server.say(connected);
        setImmediate(() => server.drop());
      },
      async (server) => {
        server.say({ ...connected, session_id: "s2" });
        message = await server.hear();
        server.say({ ...done(1, "yes"), session_id: "s2" });
      },
    );
    const lost = Promise.withResolvers<void>();
    const { client } = await connect(url, {
      transport: {
        open: (address, events) =>
          webSocketTransport(WebSocket).open(address, {
            ...events,
            onEnd: (end) => {
              events.onEnd(end);
              lost.resolve();
            },
          }),
      },
      policy: { firstMs: 60_000, longestMs: 60_000 },
      random: () => 0.5,
    });
    await lost.promise;
    expect(await client.turn("hi", never)).toMatchObject({ content: "yes" });
    expect(message).toMatchObject({ content: "hi", session_id: "s2" });
    expect(client.sessionId).toBe("s2");
  });

  it("asks for what is missing when frames are left out, and gives each one once", async () => {
    const url = await serve(async (server) => {
      server.say(connected);
      const { id } = await server.hear();
      // Other clients had turns on another replica meanwhile.
      server.say(
        { ...chunk(5, "a"), turn_id: "t2", message_id: id },
        { ...chunk(6, "b"), turn_id: "t2" },
      );
      expect(await server.hear()).toEqual({ type: "resume", session_id: "s1", after: 0 });
      server.say({ ...connected, resumed: true, seq: 6 });
      // The store no longer has the frames before 4.
      server.say(done(4, "for another"));
      server.say(
        { ...chunk(5, "a"), turn_id: "t2", message_id: id },
        { ...chunk(6, "b"), turn_id: "t2" },
      );
      server.say({ ...done(7, "ab"), turn_id: "t2", message_id: id });
    });
    const { client, frames } = await connect(url);
    expect(await client.turn("hi", never)).toMatchObject({ content: "ab" });
    expect(seqs(frames)).toEqual([4, 5, 6, 7]);
  });

  it("tells the answer to another's message from its own, which was under way at the time", async () => {
    const url = await serve(async (server) => {
      server.say(connected);
      const { id } = await server.hear();
      server.say({ ...done(1, "for another"), turn_id: "t1", message_id: "of another" });
      server.say({ ...done(2, "for us"), turn_id: "t2", message_id: id });
    });
    const { client } = await connect(url);
    expect(await client.turn("hi", never)).toMatchObject({ content: "for us" });
  });

  it("asks what became of a turn of which nothing more comes", async () => {
    const url = await serve(
      async (server) => {
        server.say(connected);
        await server.hear();
        server.say(chunk(1, "a"));
        setImmediate(() => server.drop());
      },
      async (server) => {
        server.say({ ...connected, session_id: "fresh" });
        await server.hear();
        server.say({ ...connected, resumed: true, seq: 1 });
        expect(await server.hear()).toMatchObject({ type: "message", content: "hi" });
        server.say({ type: "error", error: { code: "UNAVAILABLE", message: "interrupted" } });
      },
    );
    const { client } = await connect(url, { policy: { silenceMs: 10 } });
    expect(await client.turn("hi", never)).toMatchObject({ error: { message: "interrupted" } });
  });

  it("says that an answer is held up when it is so for long, and when that is over", async () => {
    const url = await serve(
      async (server) => {
        server.say(connected);
        await server.hear();
        server.close(1013);
      },
      async (server) => {
        server.say({ ...connected, session_id: "fresh" });
        await server.hear();
        server.say(done(1, "late"));
      },
    );
    const states: string[] = [];
    const { client } = await connect(url, {
      onHeldUp: (state) => states.push(state),
      policy: { noticeMs: 1 },
    });
    expect(await client.turn("hi", never)).toMatchObject({ content: "late" });
    expect(states).toEqual(["lost", "back"]);
  });
});
