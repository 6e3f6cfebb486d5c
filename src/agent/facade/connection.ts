/** The connection of one client: reads its frames, one after the other, and closes when the client does not keep to the limits. */
import type { Writable } from "node:stream";
import type { RawData, WebSocket } from "ws";
import type { AgentMetrics } from "../contracts/agent-metrics.ts";
import type { TraceParent } from "../../observability/tracing/trace-parent.ts";
import type { Timer } from "../../time/clock.ts";
import {
  parseClientFrame,
  type ClientFrame,
  type ErrorBody,
  type ParsedClientFrame,
} from "../../protocol/frames.ts";
import {
  MAX_TIMER_MS,
  MAX_WAITING_CHARACTERS,
  MAX_WAITING_FRAMES,
  RETRY_AFTER_SECONDS,
} from "../contracts/limits.ts";
import { CLOSE_UNAUTHORIZED } from "../../protocol/close-codes.ts";
import type { Credential } from "../../authentication/credential.ts";
import type { SessionClient } from "../sessions/session-client.ts";
import type { ClientSocket } from "./client-socket.ts";
import {
  ConnectionSessions,
  type SessionsContext,
  type SessionsOwner,
} from "./connection-sessions.ts";
import type { Heartbeats, Pinged } from "./heartbeats.ts";
import { Outbox } from "./outbox.ts";
import { RateLimit } from "../../time/rate-limit.ts";

export const CLOSE_GOING_AWAY = 1001;
export const CLOSE_TRY_AGAIN_LATER = 1013;
const TOKEN_EXPIRED = "the token has expired";

/** What all connections of a replica share. */
export interface ConnectionContext extends SessionsContext {
  readonly metrics: AgentMetrics;
  readonly heartbeats: Heartbeats;
  readonly onClose: (connection: Connection) => void;
}

export interface ConnectionClient {
  /** What the client's WebSocket writes to. */
  readonly stream: Writable;
  /** What the client was let in with, when the agent authenticates its clients. */
  readonly credential: Credential | undefined;
  readonly identity: SessionClient;
  /** The session that the client wants to go on with. */
  readonly sessionId: string | undefined;
  /** The place in a trace that the client named in the headers of its request. */
  readonly traceParent?: TraceParent | undefined;
}

const RATE_LIMITED: ErrorBody = {
  code: "RATE_LIMITED",
  message: "Too many frames. Wait a moment.",
  details: { retry_after: RETRY_AFTER_SECONDS },
};

interface WaitingFrame {
  readonly parsed: ParsedClientFrame;
  readonly characters: number;
  /** Whether the client had all its answers when it sent the frame. */
  readonly wasAwaited: boolean;
}

export class Connection implements SessionsOwner, Pinged {
  // Heartbeats keeps these two.
  heardAt = 0;
  nextPingAt = 0;

  readonly #context: ConnectionContext;
  readonly #socket: ClientSocket;
  readonly #outbox: Outbox;
  readonly #sessions: ConnectionSessions;
  readonly #credential: Credential | undefined;
  // These are made with the first frame, since most connections are idle.
  #rateLimit: RateLimit | undefined;
  #waiting: WaitingFrame[] | undefined;
  #waitingCharacters = 0;
  #isWorking = false;
  #isHandling = false;
  #isDraining = false;
  #isRevoked = false;
  #drainTimer: Timer | undefined;
  #endTimer: Timer | undefined;

  constructor(socket: ClientSocket, context: ConnectionContext, client: ConnectionClient) {
    this.#context = context;
    this.#socket = socket;
    const { stream, credential, identity, sessionId } = client;
    this.#outbox = new Outbox(socket, stream, context, this);
    this.#credential = credential;
    this.#sessions = new ConnectionSessions(context, {
      client: identity,
      outlet: this.#outbox,
      owner: this,
      traceParent: client.traceParent,
    });
    socket.connection = this;
    socket.on("message", onMessage).on("pong", onPong).on("error", ignore).on("close", onClose);
    context.heartbeats.add(this);
    if (credential !== undefined && credential.kind !== "api-key") {
      const { endsAt } = credential;
      if (endsAt !== undefined) this.#revokeAt(endsAt);
    }
    if (sessionId === undefined) this.#sessions.open();
    else void this.#openWith(sessionId);
  }

  /** Whether a turn of this client runs or is about to, or its frames are still being handled. */
  get isBusy(): boolean {
    return this.#isWorking || this.#sessions.isBusy;
  }

  /** Closes the connection after `delayMs`, or later, once it is not busy any more. */
  drain(delayMs: number): void {
    this.#isDraining = true;
    this.#drainTimer ??= this.#context.clock.setTimer(delayMs, () => this.#closeWhenDrained());
  }

  /** Closes the connection after the frames that were sent so far. */
  close(): void {
    this.#end(CLOSE_GOING_AWAY, "the agent is shutting down");
  }

  /** What the client was let in with. Undefined when everybody was let in. */
  get credential(): Credential | undefined {
    return this.#credential;
  }

  /**
   * Closes the connection because the client may not be here any more. It is sent nothing after this, and its turns go on
   * without it. Answers false when that was done before.
   */
  revoke(reason: string): boolean {
    if (this.#isRevoked) return false;
    this.#isRevoked = true;
    this.#end(CLOSE_UNAUTHORIZED, reason);
    return true;
  }

  terminate(): void {
    this.#socket.terminate();
  }

  // For Heartbeats

  get isPaused(): boolean {
    return this.#socket.isPaused;
  }

  ping(): void {
    this.#socket.ping();
  }

  onSilent(): void {
    this.#socket.terminate();
  }

  // For Outbox

  onStuck(): void {
    this.#end(CLOSE_TRY_AGAIN_LATER, "too slow to read");
  }

  // For ConnectionSessions

  onIdle(): void {
    if (this.#isDraining) this.#closeWhenDrained();
  }

  // For ClientSocket

  onMessage(data: Buffer, isBinary: boolean): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#context.metrics.messagesReceivedTotal.add(1);
    const text = isBinary ? "" : data.toString();
    const parsed: ParsedClientFrame = isBinary
      ? { ok: false, problem: "the frame is binary; frames must be JSON text" }
      : parseClientFrame(text);
    if (this.#isWorking && parsed.ok && parsed.frame.type === "cancel") {
      // This cancel does not wait for the frames before it: a client that does not read can still stop its turn, and one
      // whose turn waits to run can give it up.
      const { session_id: sessionId } = parsed.frame;
      const isCancelled = this.#isHandling
        ? this.#sessions.cancelQueued(sessionId)
        : this.#sessions.cancelHere(sessionId);
      if (isCancelled) return;
    }
    this.#waiting ??= [];
    this.#waiting.push({ parsed, characters: text.length, wasAwaited: !this.isBusy });
    this.#waitingCharacters += text.length;
    if (!this.#isWorking) void this.#work(this.#waiting);
    else if (this.#isCrowded()) this.#socket.pause();
  }

  onPong(): void {
    this.#context.heartbeats.heard(this);
  }

  onClose(): void {
    this.#context.heartbeats.delete(this);
    this.#drainTimer?.cancel();
    this.#endTimer?.cancel();
    this.#waiting = undefined;
    this.#outbox.close();
    this.#sessions.close();
    this.#context.onClose(this);
  }

  /** `endsAt` is in milliseconds since 1970. The clock of the day is asked again by and by, since it may be set. */
  #revokeAt(endsAt: number): void {
    const left = endsAt - this.#context.clock.now();
    if (left <= 0) {
      this.revoke(TOKEN_EXPIRED);
      return;
    }
    this.#endTimer = this.#context.clock.setTimer(Math.min(left, MAX_TIMER_MS), () =>
      this.#revokeAt(endsAt),
    );
  }

  #closeWhenDrained(): void {
    if (!this.isBusy) this.close();
  }

  #end(code: number, reason: string): void {
    if (this.#waiting !== undefined) this.#waiting.length = 0;
    this.#socket.close(code, reason);
    // The socket has to read the client's answer to the close.
    this.#socket.resume();
  }

  async #openWith(sessionId: string): Promise<void> {
    this.#isWorking = true;
    this.#isHandling = true;
    await this.#sessions.openWith(sessionId);
    this.#isHandling = false;
    await this.#work((this.#waiting ??= []));
  }

  /** Handles the frames in their order. A message is handled once its turn has begun, which need not have ended. */
  async #work(waiting: WaitingFrame[]): Promise<void> {
    this.#isWorking = true;
    this.#rateLimit ??= new RateLimit(this.#context.clock, () => {
      const { messagesPerSecond, messageBurst } = this.#context.limits();
      return { perSecond: messagesPerSecond, burst: messageBurst };
    });
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const room = this.#outbox.whenWritable();
      if (room !== undefined) await room;
      if (this.#isRevoked) break;
      if (!this.#rateLimit.take()) {
        this.#context.metrics.messagesRateLimitedTotal.add(1);
        this.#sessions.refuse(RATE_LIMITED);
      } else if (!next.parsed.ok) {
        const message = `Invalid frame: ${next.parsed.problem}.`;
        this.#sessions.refuse({ code: "INVALID_MESSAGE", message });
      } else {
        this.#isHandling = true;
        const began = await this.#handle(next.parsed.frame);
        this.#isHandling = false;
        if (began && next.wasAwaited) this.#rateLimit.giveBack();
      }
      this.#waitingCharacters -= next.characters;
      if (this.#socket.isPaused && !this.#isCrowded()) this.#socket.resume();
    }
    this.#isWorking = false;
    if (this.#isDraining) this.#closeWhenDrained();
  }

  #isCrowded(): boolean {
    return (
      (this.#waiting?.length ?? 0) >= MAX_WAITING_FRAMES ||
      this.#waitingCharacters > MAX_WAITING_CHARACTERS
    );
  }

  /** Answers whether the frame began a turn. */
  #handle(frame: ClientFrame): Promise<boolean> {
    switch (frame.type) {
      case "message":
        return this.#sessions.message(frame);
      case "cancel":
        return this.#sessions.cancel(frame.session_id).then(() => false);
      case "resume":
        return this.#sessions.resume(frame).then(() => false);
      case "approve":
      case "deny":
        return this.#sessions.answer(frame);
    }
  }
}

function onMessage(this: WebSocket, data: RawData, isBinary: boolean): void {
  (this as ClientSocket).connection?.onMessage(data as Buffer, isBinary);
}

function onPong(this: WebSocket): void {
  (this as ClientSocket).connection?.onPong();
}

function onClose(this: WebSocket): void {
  (this as ClientSocket).connection?.onClose();
}

/** The event "close" follows an error, and is handled. A frame over the limit is answered with 1009 by the socket itself. */
function ignore(): void {}
