import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocketServer, type WebSocket as ServerSocket } from "ws";
import { numberedNames } from "../../../test/support/builders/numbered-names.ts";
import { systemClock } from "../../time/clock.ts";
import type { ServerFrame } from "../frames.ts";
import type { SessionClientOptions } from "./session-client-options.ts";
import { SessionClient } from "./session-client.ts";
import { webSocketTransport } from "./web-socket-transport.ts";

type Frame = Record<string, unknown>;
type Script = (connection: Connection) => void | Promise<void>;

/** The server's side of one connection. It sends what the test tells it to, and waits for what the client sends. */
class Connection {
  readonly #socket: ServerSocket;
  readonly #received: Frame[] = [];
  #waiting: ((frame: Frame) => void) | undefined;
  readonly url: URL;
  readonly protocols: string | undefined;

  constructor(socket: ServerSocket, url: URL, protocols: string | undefined) {
    this.#socket = socket;
    this.url = url;
    this.protocols = protocols;
    socket.on("message", (data) => {
      const frame = JSON.parse((data as Buffer).toString()) as Frame;
      if (this.#waiting === undefined) this.#received.push(frame);
      else this.#waiting(frame);
      this.#waiting = undefined;
    });
  }

  /** Sends frames, which belong to session s1 unless they name another. */
  say(...frames: Frame[]): void {
    for (const frame of frames) {
      const ofTurn = "seq" in frame && frame["type"] !== "connected" ? { turn_id: "t1" } : {};
      this.#socket.send(
        JSON.stringify({
          session_id: "s1",
          timestamp: "2026-01-01T00:00:00Z",
          ...ofTurn,
          ...frame,
        }),
      );
    }
  }

  async hear(): Promise<Frame> {
    return this.#received.shift() ?? new Promise((resolve) => (this.#waiting = resolve));
  }

  drop(): void {
    this.#socket.terminate();
  }

  close(code: number, reason?: string): void {
    this.#socket.close(code, reason);
  }
}

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).toReversed()) cleanup();
});

/** Runs one script for each connection, in order. */
async function serve(...scripts: Script[]): Promise<URL> {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket, request) => {
    const connection = new Connection(
      socket,
      new URL(request.url ?? "/", "ws://localhost"),
      request.headers["sec-websocket-protocol"],
    );
    void scripts.shift()?.(connection);
  });
  cleanups.push(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
  });
  return listen(server);
}

async function listen(server: Server): Promise<URL> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return new URL(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

async function connect(
  url: URL,
  options: Partial<SessionClientOptions> = {},
): Promise<{ client: SessionClient; frames: ServerFrame[] }> {
  const frames: ServerFrame[] = [];
  const client = await SessionClient.connect(
    {
      url: url.href,
      transport: webSocketTransport(WebSocket),
      clock: systemClock,
      random: () => 0,
      newMessageId: () => messageIds.next(),
      onFrame: (frame) => frame !== undefined && frames.push(frame),
      ...options,
    },
    never,
  );
  cleanups.push(() => client.close());
  return { client, frames };
}

const messageIds = numberedNames("m");
const seqs = (frames: ServerFrame[]) =>
  frames.flatMap((frame) => (frame.type !== "connected" && "seq" in frame ? [frame.seq] : []));
const never = new AbortController().signal;
const connected = { type: "connected", resumed: false, seq: 0 };
const chunk = (seq: number, content: string): Frame => ({ type: "chunk", seq, content });
const done = (seq: number, content: string, finish_reason = "stop"): Frame => ({
  type: "done",
  seq,
  content,
  finish_reason,
});

describe("SessionClient", () => {
  it("gives the frames of a turn in order, and its answer", async () => {
    const url = await serve(async (server) => {
      server.say(connected);
      await server.hear();
      server.say(chunk(1, "Hel"), chunk(2, "lo"), done(3, "Hello"));
    });
    const { client, frames } = await connect(url);
    expect(await client.turn("hi", never)).toEqual({
      type: "done",
      content: "Hello",
      finishReason: "stop",
    });
    expect(frames.map(({ type }) => type)).toEqual(["connected", "chunk", "chunk", "done"]);
  });

  it("sends a token as a subprotocol, and its own id and the session with a message", async () => {
    let message: Frame = {};
    let protocols: string | undefined;
    const url = await serve(async (server) => {
      server.say(connected);
      ({ protocols } = server);
      message = await server.hear();
      server.say(done(1, ""));
    });
    const { client } = await connect(url, { token: () => "secret" });
    await client.turn("hi", never);
    expect(protocols).toContain("bearer.secret");
    expect(message).toMatchObject({ type: "message", content: "hi", session_id: "s1" });
    expect(message["id"]).toMatch(/./);
  });

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

  it("sends a message again that was refused for the moment, and shows nothing of it", async () => {
    const ids: unknown[] = [];
    const url = await serve(async (server) => {
      server.say(connected);
      ids.push((await server.hear())["id"]);
      const details = { retry_after: 0.01 };
      server.say({ type: "error", error: { code: "UNAVAILABLE", message: "busy", details } });
      ids.push((await server.hear())["id"]);
      server.say(done(1, "now"));
    });
    const { client, frames } = await connect(url);
    expect(await client.turn("hi", never)).toMatchObject({ content: "now" });
    expect(ids[1]).toBe(ids[0]);
    expect(frames.map(({ type }) => type)).toEqual(["connected", "done"]);
  });

  it("gives the refusal when the moment is too long", async () => {
    const error = { code: "UNAVAILABLE", message: "busy", details: { retry_after: 60 } };
    const url = await serve(async (server) => {
      server.say(connected);
      await server.hear();
      server.say({ type: "error", error });
    });
    const { client } = await connect(url);
    expect(await client.turn("hi", never)).toEqual({ type: "error", error });
  });

  it.each(["frames of the turn", "a while of silence"])(
    "counts refusals afresh after %s between them",
    async (between) => {
      const refusal = {
        type: "error",
        error: { code: "UNAVAILABLE", message: "busy", details: { retry_after: 0.02 } },
      };
      const isSilent = between === "a while of silence";
      const url = await serve(async (server) => {
        server.say(connected);
        await server.hear();
        server.say(chunk(1, "a"));
        for (const seq of [2, 3, 4, 5]) {
          server.say(refusal);
          const { after } = await server.hear();
          server.say({ ...connected, resumed: true, seq: after });
          if (isSilent) await sleep(50);
          else server.say(chunk(seq, "a"));
        }
        server.say(done(isSilent ? 2 : 6, "well"));
      });
      const policy = { refusedMs: 25, longestMs: isSilent ? 25 : 60_000 };
      const { client, frames } = await connect(url, { policy });
      expect(await client.turn("hi", never)).toMatchObject({ content: "well" });
      expect(frames.map(({ type }) => type)).not.toContain("error");
    },
  );

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

  it("follows the server into a new session", async () => {
    const url = await serve(async (server) => {
      server.say({ ...connected, seq: 7 });
      await server.hear();
      server.say({ ...connected, session_id: "s2" }, { ...done(1, "new"), session_id: "s2" });
    });
    const { client } = await connect(url);
    expect(await client.turn("hi", never)).toMatchObject({ content: "new" });
    expect(client.sessionId).toBe("s2");
  });

  it("cancels the running turn once, and nothing between turns", async () => {
    let cancel: Frame = {};
    const url = await serve(async (server) => {
      server.say(connected);
      await server.hear();
      server.say(chunk(1, "so"));
      cancel = await server.hear();
      server.say(done(2, "so", "cancelled"));
    });
    const begun = Promise.withResolvers<void>();
    const { client } = await connect(url, {
      onFrame: (frame) => frame?.type === "chunk" && begun.resolve(),
    });
    expect(client.cancel()).toBe(false);
    const turn = client.turn("hi", never);
    await begun.promise;
    expect(client.cancel()).toBe(true);
    expect(client.cancel()).toBe(false);
    expect(await turn).toMatchObject({ finishReason: "cancelled" });
    expect(cancel).toEqual({ type: "cancel", session_id: "s1" });
  });

  it("waits for the end of a turn that could not be cancelled", async () => {
    const url = await serve(async (server) => {
      server.say(connected);
      await server.hear();
      server.say(chunk(1, "so"));
      await server.hear();
      server.say({ type: "error", error: { code: "UNAVAILABLE", message: "elsewhere" } });
      server.say(done(2, "so be it"));
    });
    const begun = Promise.withResolvers<void>();
    const { client } = await connect(url, {
      onFrame: (frame) => frame?.type === "chunk" && begun.resolve(),
    });
    const turn = client.turn("hi", never);
    await begun.promise;
    client.cancel();
    expect(await turn).toMatchObject({ content: "so be it" });
  });

  it("keeps the turns of others in the session apart", async () => {
    const url = await serve(async (server) => {
      server.say(connected, chunk(1, "for another"), done(2, "for another"));
      await server.hear();
      server.say({ ...done(3, "for us"), turn_id: "t2" });
    });
    const own: string[] = [];
    const othersEnded = Promise.withResolvers<void>();
    const { client } = await connect(url, {
      onFrame: (frame, text, isOwn) => {
        if (text.includes('"done"')) othersEnded.resolve();
        if (isOwn && frame !== undefined && "content" in frame) own.push(frame.content);
      },
    });
    await othersEnded.promise;
    await client.turn("hi", never);
    expect(own).toEqual(["for us"]);
  });

  it("asks for the session to go on with, and says when it is not there", async () => {
    let asked: string | null = "";
    const url = await serve(
      (server) => {
        asked = server.url.searchParams.get("session_id");
        server.say({ ...connected, resumed: true, seq: 4 });
      },
      (server) =>
        server.say({ type: "error", error: { code: "SESSION_NOT_FOUND", message: "no" } }),
      (server) => server.say({ ...connected, session_id: "another" }),
    );
    await connect(url, { sessionId: "s1" });
    expect(asked).toBe("s1");
    await expect(connect(url, { sessionId: "s1" })).rejects.toMatchObject({
      code: "session-not-found",
    });
    await expect(connect(url, { sessionId: "s1" })).rejects.toMatchObject({
      code: "session-not-found",
    });
  });

  it("gives the signal's reason when a turn is aborted", async () => {
    const url = await serve((server) => server.say(connected));
    const { client } = await connect(url);
    const abort = new AbortController();
    const turn = client.turn("hi", abort.signal);
    const reason = new Error("enough");
    abort.abort(reason);
    await expect(turn).rejects.toBe(reason);
  });

  it("refuses a message that is larger than a frame may be, without sending it", async () => {
    const url = await serve((server) => server.say(connected));
    const { client } = await connect(url);
    await expect(client.turn("x".repeat(512 * 1024), never)).rejects.toMatchObject({
      code: "too-large",
    });
  });

  it.each([
    [1008, "refused"],
    [1009, "too-large"],
  ])("does not try again after a close with %i", async (code, expected) => {
    const url = await serve(async (server) => {
      server.say(connected);
      await server.hear();
      server.close(code);
    });
    const { client } = await connect(url);
    await expect(client.turn("hi", never)).rejects.toMatchObject({ code: expected });
  });

  it("passes over frames of a later protocol, and refuses what is none", async () => {
    const url = await serve(async (server) => {
      server.say(connected);
      await server.hear();
      server.say({ type: "thought", seq: 1 }, done(2, "yes"));
      await server.hear();
      server.say({ type: "chunk", content: 1 });
    });
    const { client } = await connect(url);
    expect(await client.turn("hi", never)).toMatchObject({ content: "yes" });
    await expect(client.turn("hi", never)).rejects.toMatchObject({ code: "protocol" });
  });
});

describe("a client whose credential is no longer accepted", () => {
  /** Gives a token for each time that it is asked, and notes for what it was asked. */
  function tokens() {
    const asked: boolean[] = [];
    const token = (isRefused: boolean): Promise<string> => {
      asked.push(isRefused);
      return Promise.resolve(`token-${asked.length}`);
    };
    return { asked, token };
  }
  const EXPIRED = "the token has expired";

  it("comes back with another token, and goes on in its turn", async () => {
    const { asked, token } = tokens();
    const protocols: (string | undefined)[] = [];
    const url = await serve(
      async (server) => {
        protocols.push(server.protocols);
        server.say(connected);
        await server.hear();
        server.say(chunk(1, "Hel"));
        server.close(4401, EXPIRED);
      },
      async (server) => {
        protocols.push(server.protocols);
        server.say(connected);
        expect(await server.hear()).toMatchObject({ type: "resume", after: 1 });
        server.say({ ...connected, resumed: true, seq: 1 }, done(2, "Hello"));
      },
    );
    const { client, frames } = await connect(url, { token });
    expect(await client.turn("hi", never)).toMatchObject({ content: "Hello" });
    expect(seqs(frames)).toEqual([1, 2]);
    expect(protocols).toEqual(["omnia, bearer.token-1", "omnia, bearer.token-2"]);
    expect(asked).toEqual([false, true]);
  });

  it("gives up with the server's reason when the other token is not accepted either", async () => {
    const { asked, token } = tokens();
    const refuse: Script = async (server) => {
      server.say(connected);
      await server.hear();
      server.close(4401, EXPIRED);
    };
    const url = await serve(refuse, refuse, refuse);
    const { client } = await connect(url, { token });
    await expect(client.turn("hi", never)).rejects.toMatchObject({
      code: "unauthorized",
      message: `The server does not accept this client: ${EXPIRED} (4401).`,
    });
    expect(asked).toEqual([false, true]);
  });

  it("gives up at once when it has no other token to come with", async () => {
    const url = await serve(async (server) => {
      server.say(connected);
      await server.hear();
      server.close(4401);
    });
    const { client } = await connect(url);
    await expect(client.turn("hi", never)).rejects.toMatchObject({
      code: "unauthorized",
      message: "The server does not accept this client (4401).",
    });
  });

  it("says so when no token can be had, and when none can be sent", async () => {
    const url = await serve((server) => server.say(connected));
    const cause = new Error("the login is away");
    await expect(connect(url, { token: () => Promise.reject(cause) })).rejects.toMatchObject({
      code: "unauthorized",
      cause,
    });
    await expect(connect(url, { token: () => "no token" })).rejects.toMatchObject({
      code: "unreachable",
    });
  });

  it("asks for a token before each connection, whyever the last one ended", async () => {
    const { asked, token } = tokens();
    const url = await serve(
      async (server) => {
        server.say(connected);
        await server.hear();
        server.drop();
      },
      async (server) => {
        server.say(connected);
        await server.hear();
        server.say(done(1, "yes"));
      },
    );
    const { client } = await connect(url, { token });
    expect(await client.turn("hi", never)).toMatchObject({ content: "yes" });
    expect(asked).toEqual([false, false]);
  });
});
