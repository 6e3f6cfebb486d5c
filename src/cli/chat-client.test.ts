import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { WebSocketServer, type WebSocket } from "ws";
import type { ServerFrame } from "../protocol/frames.ts";
import { ChatClient, type ChatClientOptions } from "./chat-client.ts";

type Frame = Record<string, unknown>;
type Script = (connection: Connection) => void | Promise<void>;

/** The server's side of one connection: says what the test tells it to, and waits for what the client says. */
class Connection {
  readonly #socket: WebSocket;
  readonly #received: Frame[] = [];
  #waiting: ((frame: Frame) => void) | undefined;
  readonly url: URL;
  readonly authorization: string | undefined;

  constructor(socket: WebSocket, url: URL, authorization: string | undefined) {
    this.#socket = socket;
    this.url = url;
    this.authorization = authorization;
    socket.on("message", (data) => {
      const frame = JSON.parse((data as Buffer).toString()) as Frame;
      if (this.#waiting === undefined) this.#received.push(frame);
      else this.#waiting(frame);
      this.#waiting = undefined;
    });
  }

  /** Sends frames of session s1, unless they say otherwise. */
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

  close(code: number): void {
    this.#socket.close(code);
  }
}

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).toReversed()) cleanup();
});

/** Runs one script a connection, in order. */
async function serve(...scripts: Script[]): Promise<URL> {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket, request) => {
    const connection = new Connection(
      socket,
      new URL(request.url ?? "/", "ws://localhost"),
      request.headers.authorization,
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
  options: Partial<ChatClientOptions> = {},
): Promise<{ client: ChatClient; frames: ServerFrame[] }> {
  const frames: ServerFrame[] = [];
  const client = await ChatClient.connect(
    {
      url,
      onFrame: (frame) => frame !== undefined && frames.push(frame),
      random: () => 0,
      ...options,
    },
    never,
  );
  cleanups.push(() => client.close());
  return { client, frames };
}

const never = new AbortController().signal;
const connected = { type: "connected", resumed: false, seq: 0 };
const chunk = (seq: number, content: string): Frame => ({ type: "chunk", seq, content });
const done = (seq: number, content: string, finish_reason = "stop"): Frame => ({
  type: "done",
  seq,
  content,
  finish_reason,
});

test("gives the frames of a turn in order, and its answer", async () => {
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

test("sends a token as bearer, and its own id and the session with a message", async () => {
  let message: Frame = {};
  let authorization: string | undefined;
  const url = await serve(async (server) => {
    server.say(connected);
    ({ authorization } = server);
    message = await server.hear();
    server.say(done(1, ""));
  });
  const { client } = await connect(url, { token: "secret" });
  await client.turn("hi", never);
  expect(authorization).toBe("Bearer secret");
  expect(message).toMatchObject({ type: "message", content: "hi", session_id: "s1" });
  expect(message["id"]).toMatch(/./);
});

test("resumes where it was when the connection drops in the middle of a turn, giving each frame once", async () => {
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
      server.say(chunk(2, "b"), chunk(3, "c"), done(4, "abc"));
    },
  );
  const states: string[] = [];
  const { client, frames } = await connect(url, { onReconnect: (state) => states.push(state) });
  expect(await client.turn("hi", never)).toMatchObject({ content: "abc" });
  expect(resume).toEqual({ type: "resume", session_id: "s1", after: 2 });
  expect(frames.map((frame) => ("seq" in frame ? frame.seq : undefined))).toEqual([0, 1, 2, 3, 4]);
  expect(states).toEqual(["lost", "back"]);
  expect(client.sessionId).toBe("s1");
});

test("sends the message again, under the same id, when nothing came of it before the drop", async () => {
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

test("ends the turn with the server's error when the session is gone after a drop", async () => {
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

test("gives a turn up when connecting again stays in vain", async () => {
  const dropping: Script = async (server) => {
    server.say(connected);
    await server.hear();
    server.drop();
  };
  const url = await serve(dropping, dropping);
  const { client } = await connect(url, { limits: { reconnectMs: 0 } });
  await expect(client.turn("hi", never)).rejects.toMatchObject({
    code: "unreachable",
    message: "The connection drops again and again.",
  });
});

test("connects again for the next message when the connection dropped between turns", async () => {
  let dropped: () => void = () => {};
  const drop = new Promise<void>((resolve) => (dropped = resolve));
  const url = await serve(
    async (server) => {
      server.say(connected);
      await server.hear();
      server.say(done(1, "one"));
      await drop;
      server.drop();
    },
    async (server) => {
      server.say({ ...connected, session_id: "fresh" });
      const { session_id } = await server.hear();
      server.say(done(2, `two in ${session_id as string}`));
    },
  );
  const { client } = await connect(url);
  await client.turn("1", never);
  dropped();
  expect(await client.turn("2", never)).toMatchObject({ content: "two in s1" });
});

test("follows the server into a new session", async () => {
  const url = await serve(async (server) => {
    server.say({ ...connected, seq: 7 });
    await server.hear();
    server.say({ ...connected, session_id: "s2" }, { ...done(1, "new"), session_id: "s2" });
  });
  const { client } = await connect(url);
  expect(await client.turn("hi", never)).toMatchObject({ content: "new" });
  expect(client.sessionId).toBe("s2");
});

test("cancels the running turn once, and nothing between turns", async () => {
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

test("waits for the end of a turn that could not be cancelled", async () => {
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

test("keeps the turns of others in the session apart", async () => {
  const url = await serve(async (server) => {
    server.say(connected, chunk(1, "for another"), done(2, "for another"));
    await server.hear();
    server.say(done(3, "for us"));
  });
  const contents: (string | undefined)[] = [];
  const othersEnded = Promise.withResolvers<void>();
  const { client } = await connect(url, {
    onFrame: (frame, text) => {
      if (text.includes('"done"')) othersEnded.resolve();
      contents.push(frame !== undefined && "content" in frame ? frame.content : undefined);
    },
  });
  await othersEnded.promise;
  await client.turn("hi", never);
  expect(contents).toEqual([undefined, undefined, undefined, "for us"]);
});

test("asks for the session to go on with, and says when it is not there", async () => {
  let asked: string | null = "";
  const url = await serve(
    (server) => {
      asked = server.url.searchParams.get("session_id");
      server.say({ ...connected, resumed: true, seq: 4 });
    },
    (server) => server.say({ type: "error", error: { code: "SESSION_NOT_FOUND", message: "no" } }),
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

test("gives the signal's reason when a turn is aborted", async () => {
  const url = await serve((server) => server.say(connected));
  const { client } = await connect(url);
  const abort = new AbortController();
  const turn = client.turn("hi", abort.signal);
  const reason = new Error("enough");
  abort.abort(reason);
  await expect(turn).rejects.toBe(reason);
});

test("refuses a message that is larger than a frame may be, without sending it", async () => {
  const url = await serve((server) => server.say(connected));
  const { client } = await connect(url);
  await expect(client.turn("x".repeat(512 * 1024), never)).rejects.toMatchObject({
    code: "too-large",
  });
});

test("does not connect again after a close that would come again", async () => {
  const url = await serve(async (server) => {
    server.say(connected);
    await server.hear();
    server.close(1009);
  });
  const { client } = await connect(url);
  await expect(client.turn("hi", never)).rejects.toMatchObject({ code: "refused" });
});

test("passes over frames of a later protocol, and refuses what is none", async () => {
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

test.for([
  [401, {}, "unauthorized", "The agent wants to know who you are."],
  [
    404,
    { error: { code: "AgentNotFound", message: "there is no agent x", agents: ["default/y"] } },
    "refused",
    "There is no agent x; there are: default/y.",
  ],
  [
    503,
    { error: { message: "the agent waits for its pack" } },
    "refused",
    "The agent waits for its pack.",
  ],
  [500, "<html>", "refused", "answered 500 Internal Server Error."],
] as const)("says in words why it was refused with %i", async ([status, body, code, message]) => {
  const server = createServer();
  server.on("upgrade", (_request, socket) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const reason = status === 500 ? "Internal Server Error" : "No";
    socket.end(`HTTP/1.1 ${status} ${reason}\r\ncontent-length: ${text.length}\r\n\r\n${text}`);
  });
  cleanups.push(() => server.close());
  const url = await listen(server);
  await expect(connect(url)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message),
  });
});

test("says that nothing listens", async () => {
  const server = createServer();
  const url = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  await expect(connect(url)).rejects.toMatchObject({
    code: "unreachable",
    message: expect.stringContaining("Nothing listens at"),
  });
});
