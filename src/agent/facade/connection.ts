/** One client: reads its frames, one after the other, and lets go of it when it does not keep to the limits. */
import type { RawData, WebSocket } from "ws";
import type { AgentMetrics } from "../contracts/agent-metrics.ts";
import type { Timer } from "../../time/clock.ts";
import {
  parseClientFrame,
  type ClientFrame,
  type ErrorBody,
  type ParsedClientFrame,
} from "../../protocol/frames.ts";
import {
  MAX_WAITING_CHARACTERS,
  MAX_WAITING_FRAMES,
  RETRY_AFTER_SECONDS,
} from "../contracts/limits.ts";
import type { ClientSocket } from "./client-socket.ts";
import {
  Conversation,
  type ConversationContext,
  type ConversationOutlet,
} from "./connection-sessions.ts";
import type { Heartbeats, Pinged } from "./heartbeats.ts";
import { Outbox } from "./outbox.ts";
import { RateLimit } from "../../time/rate-limit.ts";

export const CLOSE_GOING_AWAY = 1001;
export const CLOSE_TRY_AGAIN_LATER = 1013;

/** What all connections share. */
export interface ConnectionContext extends ConversationContext {
  readonly metrics: AgentMetrics;
  readonly heartbeats: Heartbeats;
  readonly onClose: (connection: Connection) => void;
}

export interface ConnectionClient {
  /** Who the client is, when the agent authenticates its clients. */
  readonly subject: string | undefined;
  /** The session that the client asked to go on with. */
  readonly sessionId: string | undefined;
}

const RATE_LIMITED: ErrorBody = {
  code: "RATE_LIMITED",
  message: "Too many frames. Wait a moment.",
  details: { retry_after: RETRY_AFTER_SECONDS },
};

interface WaitingFrame {
  readonly parsed: ParsedClientFrame;
  readonly characters: number;
  /** The client had its answers when it sent the frame. */
  readonly wasAwaited: boolean;
}

export class Connection implements ConversationOutlet, Pinged {
  // Of Heartbeats.
  heardAt = 0;
  nextPingAt = 0;

  readonly #context: ConnectionContext;
  readonly #socket: ClientSocket;
  readonly #outbox: Outbox;
  readonly #conversation: Conversation;
  // Made with the first frame: most connections are idle.
  #rateLimit: RateLimit | undefined;
  #waiting: WaitingFrame[] | undefined;
  #waitingCharacters = 0;
  #isWorking = false;
  #isHandling = false;
  #isDraining = false;
  #drainTimer: Timer | undefined;

  constructor(socket: ClientSocket, context: ConnectionContext, client: ConnectionClient) {
    this.#context = context;
    this.#socket = socket;
    this.#outbox = new Outbox(socket, context, this);
    this.#conversation = new Conversation(context, this, client.subject);
    socket.connection = this;
    socket.on("message", onMessage).on("pong", onPong).on("error", ignore).on("close", onClose);
    context.heartbeats.add(this);
    if (client.sessionId === undefined) this.#conversation.open();
    else void this.#openWith(client.sessionId);
  }

  /** Whether a turn of this client runs, or is about to. */
  get isBusy(): boolean {
    return this.#isWorking || this.#conversation.isBusy;
  }

  /** Closes the connection once it is not busy: after `delayMs`, or after what its client still has to say. */
  drain(delayMs: number): void {
    this.#isDraining = true;
    this.#drainTimer ??= this.#context.clock.setTimer(delayMs, () => this.#closeWhenDrained());
  }

  /** Closes the connection after what was sent so far. */
  close(): void {
    this.#end(CLOSE_GOING_AWAY, "the agent is shutting down");
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

  // For the outbox

  onStuck(): void {
    this.#end(CLOSE_TRY_AGAIN_LATER, "too slow to read");
  }

  // For the conversation

  send(text: string): void {
    this.#outbox.send(text);
  }

  whenWritable(): Promise<void> | undefined {
    return this.#outbox.whenWritable();
  }

  onIdle(): void {
    if (this.#isDraining) this.#closeWhenDrained();
  }

  // For the socket

  onMessage(data: Buffer, isBinary: boolean): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#context.metrics.messagesReceivedTotal.add(1);
    const text = isBinary ? "" : data.toString();
    const parsed: ParsedClientFrame = isBinary
      ? { ok: false, problem: "the frame is binary; frames must be JSON text" }
      : parseClientFrame(text);
    if (this.#isWorking && parsed.ok && parsed.frame.type === "cancel") {
      // A client that does not read may still stop its turn, and one whose turn has to wait may give it up.
      const { session_id: sessionId } = parsed.frame;
      const isCancelled = this.#isHandling
        ? this.#conversation.cancelQueued(sessionId)
        : this.#conversation.cancelHere(sessionId);
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
    this.#waiting = undefined;
    this.#outbox.close();
    this.#conversation.close();
    this.#context.onClose(this);
  }

  #closeWhenDrained(): void {
    if (!this.isBusy) this.close();
  }

  #end(code: number, reason: string): void {
    if (this.#waiting !== undefined) this.#waiting.length = 0;
    this.#socket.close(code, reason);
    // The answer to the close has to be read.
    this.#socket.resume();
  }

  async #openWith(sessionId: string): Promise<void> {
    this.#isWorking = true;
    this.#isHandling = true;
    await this.#conversation.openWith(sessionId);
    this.#isHandling = false;
    await this.#work((this.#waiting ??= []));
  }

  /** Frames are handled in their order, each up to the begin of its turn, not to its end. */
  async #work(waiting: WaitingFrame[]): Promise<void> {
    this.#isWorking = true;
    this.#rateLimit ??= new RateLimit(this.#context.clock, () => {
      const { messagesPerSecond, messageBurst } = this.#context.limits();
      return { perSecond: messagesPerSecond, burst: messageBurst };
    });
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const room = this.#outbox.whenWritable();
      if (room !== undefined) await room;
      if (!this.#rateLimit.take()) {
        this.#context.metrics.messagesRateLimitedTotal.add(1);
        this.#conversation.refuse(RATE_LIMITED);
      } else if (!next.parsed.ok) {
        const message = `Invalid frame: ${next.parsed.problem}.`;
        this.#conversation.refuse({ code: "INVALID_MESSAGE", message });
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

  /** Whether the frame began a turn. */
  #handle(frame: ClientFrame): Promise<boolean> {
    switch (frame.type) {
      case "message":
        return this.#conversation.message(frame);
      case "cancel":
        return this.#conversation.cancel(frame.session_id).then(() => false);
      case "resume":
        return this.#conversation.resume(frame).then(() => false);
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

/** "close" follows, and says all there is to do. A frame over the limit is answered with 1009 by the socket. */
function ignore(): void {}
