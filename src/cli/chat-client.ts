/**
 * A client of the WebSocket protocol: one session, one turn at a time. When the connection drops in the middle of a turn it
 * connects again with backoff and goes on where it was, so that every frame of the turn is given once and in order.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import {
  MAX_CLIENT_FRAME_BYTES,
  type ConnectedFrame,
  type ErrorBody,
  type FinishReason,
  type ServerFrame,
} from "../protocol/frames.ts";
import { parseServerFrame } from "../protocol/server-frame.ts";
import { ChatError } from "./chat-error.ts";
import { openChatSocket, type OpenedChatSocket } from "./chat-socket.ts";

const HEARTBEAT_MS = 30_000;
const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 5_000;
/** A turn is given up when nothing came of it for this long in spite of connecting again. */
const RECONNECT_LIMIT_MS = 60_000;

const DROPPED = new ChatError("unreachable", "The connection drops again and again.");

/** Closes of the server after which connecting again would end the same way. */
const FINAL_CLOSES: Readonly<Record<number, string>> = {
  1002: "the server says that the protocol was broken",
  1003: "the server does not take this kind of message",
  1007: "the server could not read the message",
  1008: "the server does not allow the connection",
  1009: "the message is larger than the server takes",
};

export interface ChatClientOptions {
  readonly url: URL;
  readonly token?: string | undefined;
  /** The session to go on with. */
  readonly sessionId?: string | undefined;
  /**
   * Every frame once, in order; `text` is the frame as received. `frame` is left out where it means nothing to this
   * client: of a later protocol, or of a turn that another client began in the session.
   */
  readonly onFrame: (frame: ServerFrame | undefined, text: string) => void;
  readonly onReconnect?: (state: "lost" | "back") => void;
  readonly limits?: { readonly reconnectMs?: number };
  readonly random?: () => number;
}

export type TurnEnd =
  | { readonly type: "done"; readonly content: string; readonly finishReason: FinishReason }
  | { readonly type: "error"; readonly error: ErrorBody };

interface RunningTurn {
  readonly frame: { readonly type: "message"; readonly id: string; readonly content: string };
  /** Whether a frame of the turn has come: then it can be resumed, else the message is sent again. */
  begun: boolean;
  cancelled: boolean;
  /** Since when nothing has come of it, and how often it was connected again since. */
  trouble: { readonly since: number; attempts: number; error: ChatError } | undefined;
  readonly end: PromiseWithResolvers<TurnEnd>;
}

export class ChatClient {
  readonly #options: ChatClientOptions;
  readonly #closing = new AbortController();
  #socket: WebSocket | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #sessionId: string;
  /** The last `seq` that was given to `onFrame`. */
  #seq = 0;
  #turn: RunningTurn | undefined;

  private constructor(options: ChatClientOptions, sessionId: string) {
    this.#options = options;
    this.#sessionId = sessionId;
  }

  /** Rejects with a ChatError when there is no agent to talk to, or not this session. */
  static async connect(options: ChatClientOptions, signal: AbortSignal): Promise<ChatClient> {
    const url = new URL(options.url);
    if (options.sessionId !== undefined) url.searchParams.set("session_id", options.sessionId);
    const opened = await openChatSocket(
      { url, token: options.token, sessionId: options.sessionId },
      signal,
    );
    const client = new ChatClient(options, opened.greeting.session_id);
    client.#seq = opened.greeting.seq;
    options.onFrame(opened.greeting, opened.text);
    client.#adopt(opened);
    return client;
  }

  get sessionId(): string {
    return this.#sessionId;
  }

  /** Runs one turn to its end. Rejects with a ChatError when the server is lost for good, or with the reason of `signal`. */
  async turn(content: string, signal: AbortSignal): Promise<TurnEnd> {
    if (this.#turn !== undefined) throw new Error("a turn is running already");
    signal.throwIfAborted();
    const turn: RunningTurn = {
      frame: { type: "message", id: randomUUID(), content },
      begun: false,
      cancelled: false,
      trouble: undefined,
      end: Promise.withResolvers<TurnEnd>(),
    };
    if (Buffer.byteLength(this.#messageText(turn)) > MAX_CLIENT_FRAME_BYTES) {
      throw new ChatError(
        "too-large",
        `A message may have ${MAX_CLIENT_FRAME_BYTES / 1024} KiB; this one has more.`,
      );
    }
    const onAbort = (): void => turn.end.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    this.#turn = turn;
    try {
      if (this.#socket?.readyState === WebSocket.OPEN) this.#send(this.#messageText(turn));
      else void this.#reconnect(turn);
      return await turn.end.promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#turn = undefined;
    }
  }

  /** Asks the server to stop the running turn, which then ends as cancelled. False: there is nothing to ask for. */
  cancel(): boolean {
    if (this.#turn === undefined || this.#turn.cancelled) return false;
    this.#turn.cancelled = true;
    this.#send(JSON.stringify({ type: "cancel", session_id: this.#sessionId }));
    return true;
  }

  close(): void {
    this.#closing.abort(new ChatError("closed", "The chat was closed."));
    clearInterval(this.#heartbeat);
    this.#turn?.end.reject(this.#closing.signal.reason);
    const socket = this.#socket;
    if (socket === undefined) return;
    socket.close(1000);
    // A server that does not answer the close must not keep the process.
    setTimeout(() => socket.terminate(), 1_000).unref();
  }

  #messageText({ frame }: RunningTurn): string {
    return JSON.stringify({ ...frame, session_id: this.#sessionId });
  }

  #send(text: string): void {
    // A failure shows as the close of the socket.
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(text, () => {});
  }

  #adopt({ socket, listen }: OpenedChatSocket): void {
    this.#socket = socket;
    let alive = true;
    clearInterval(this.#heartbeat);
    this.#heartbeat = setInterval(() => {
      if (!alive) socket.terminate();
      alive = false;
      if (socket.readyState === WebSocket.OPEN) socket.ping(() => {});
    }, HEARTBEAT_MS);
    this.#heartbeat.unref();
    socket.on("pong", () => {
      alive = true;
    });
    socket.on("close", (code) => this.#lost(socket, code));
    listen((text) => this.#receive(text));
  }

  #receive(text: string): void {
    const parsed = parseServerFrame(text);
    if (!parsed.ok) {
      if (hasUnknownType(text)) this.#options.onFrame(undefined, text);
      else
        this.#turn?.end.reject(
          new ChatError(
            "protocol",
            `The server sent what is no frame of Omnia: ${parsed.problem}.`,
          ),
        );
      return;
    }
    const { frame } = parsed;
    if (frame.type === "connected") {
      this.#enterSession(frame);
    } else if ("seq" in frame && frame.seq !== undefined) {
      if (frame.session_id === this.#sessionId && frame.seq <= this.#seq) return;
      this.#seq = frame.seq;
      if (this.#turn !== undefined) {
        this.#turn.begun = true;
        this.#turn.trouble = undefined;
      }
    }
    const isOfTurn = "seq" in frame && frame.type !== "connected";
    const isAwaited = !isOfTurn || this.#turn !== undefined;
    this.#options.onFrame(isAwaited ? frame : undefined, text);
    if (frame.type === "done") {
      this.#turn?.end.resolve({
        type: "done",
        content: frame.content,
        finishReason: frame.finish_reason,
      });
    } else if (frame.type === "error" && !this.#isRefusedCancel(frame)) {
      this.#turn?.end.resolve({ type: "error", error: frame.error });
    }
  }

  /** A turn that runs on another replica cannot be cancelled, and goes on. */
  #isRefusedCancel(frame: Extract<ServerFrame, { type: "error" }>): boolean {
    const isOfTurn = "seq" in frame;
    const { begun, cancelled } = this.#turn ?? {};
    return !isOfTurn && begun === true && cancelled === true && frame.error.code === "UNAVAILABLE";
  }

  #enterSession(frame: ConnectedFrame): void {
    if (frame.session_id === this.#sessionId) return;
    this.#sessionId = frame.session_id;
    this.#seq = frame.seq;
  }

  #lost(socket: WebSocket, code: number): void {
    if (socket !== this.#socket) return;
    this.#socket = undefined;
    clearInterval(this.#heartbeat);
    const turn = this.#turn;
    if (turn === undefined || this.#closing.signal.aborted) return;
    const reason = FINAL_CLOSES[code];
    if (reason === undefined) void this.#reconnect(turn);
    else
      turn.end.reject(new ChatError("refused", `The connection was closed: ${reason} (${code}).`));
  }

  /** Connects again for as long as `turn` waits, and takes it up where it was. */
  async #reconnect(turn: RunningTurn): Promise<void> {
    const { url, token, limits, random = Math.random } = this.#options;
    const signal = this.#closing.signal;
    this.#options.onReconnect?.("lost");
    const wanted = (): boolean => this.#turn === turn && !signal.aborted;
    const limit = limits?.reconnectMs ?? RECONNECT_LIMIT_MS;
    while (wanted()) {
      const trouble = (turn.trouble ??= { since: performance.now(), attempts: 0, error: DROPPED });
      if (trouble.attempts > 0) {
        if (performance.now() - trouble.since >= limit) {
          turn.end.reject(trouble.error);
          return;
        }
        const wait = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (trouble.attempts - 1));
        await sleep(wait * (0.5 + random() / 2), undefined, { signal }).catch(() => {});
        if (!wanted()) return;
      }
      trouble.attempts += 1;
      try {
        const opened = await openChatSocket({ url, token }, signal);
        if (wanted()) this.#takeUp(turn, opened);
        else opened.socket.terminate();
        return;
      } catch (error) {
        if (!(error instanceof ChatError && error.temporary)) {
          turn.end.reject(error);
          return;
        }
        trouble.error = error;
      }
    }
  }

  #takeUp(turn: RunningTurn, opened: OpenedChatSocket): void {
    this.#adopt(opened);
    this.#options.onReconnect?.("back");
    // Sent again, a message is not run again: the server knows its id.
    this.#send(
      turn.begun
        ? JSON.stringify({ type: "resume", session_id: this.#sessionId, after: this.#seq })
        : this.#messageText(turn),
    );
    if (turn.cancelled) this.#send(JSON.stringify({ type: "cancel", session_id: this.#sessionId }));
  }
}

/** A frame of a later version of the protocol, which is passed over. */
function hasUnknownType(text: string): boolean {
  try {
    const { type } = JSON.parse(text) as { type?: unknown };
    return (
      typeof type === "string" &&
      !["connected", "chunk", "tool_call", "tool_result", "done", "error"].includes(type)
    );
  } catch {
    return false;
  }
}
