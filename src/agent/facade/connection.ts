/** One client: reads its frames, one after the other, and lets go of it when it does not keep to the limits. */
import type { WebSocket } from "ws";
import type { AgentMetrics } from "../../observability/agent-metrics.ts";
import type { Timer } from "../../observability/clock.ts";
import {
  parseClientFrame,
  type ClientFrame,
  type ErrorBody,
  type ParsedClientFrame,
} from "../../protocol/frames.ts";
import {
  IDLE_FRAMES_BURST,
  IDLE_FRAMES_PER_SECOND,
  MAX_WAITING_CHARACTERS,
  MAX_WAITING_FRAMES,
  RETRY_AFTER_SECONDS,
} from "../limits.ts";
import { Conversation, type ConversationContext } from "./conversation.ts";
import { startHeartbeat } from "./heartbeat.ts";
import { Outbox } from "./outbox.ts";
import { RateLimit } from "./rate-limit.ts";

export const CLOSE_GOING_AWAY = 1001;
export const CLOSE_TRY_AGAIN_LATER = 1013;

export interface ConnectionContext extends ConversationContext {
  readonly metrics: AgentMetrics;
}

export interface ConnectionOptions {
  /** Who the client is, when the agent authenticates its clients. */
  readonly subject: string | undefined;
  /** The session that the client asked to go on with. */
  readonly sessionId: string | undefined;
  readonly onClose: (connection: Connection) => void;
}

const RATE_LIMITED: ErrorBody = {
  code: "RATE_LIMITED",
  message: "Too many frames. Wait a moment.",
  details: { retry_after: RETRY_AFTER_SECONDS },
};

interface WaitingFrame {
  readonly parsed: ParsedClientFrame;
  readonly characters: number;
}

export class Connection {
  readonly #context: ConnectionContext;
  readonly #socket: WebSocket;
  readonly #outbox: Outbox;
  readonly #conversation: Conversation;
  readonly #rateLimit: RateLimit;
  readonly #stopHeartbeat: () => void;
  readonly #waiting: WaitingFrame[] = [];
  #waitingCharacters = 0;
  #isWorking = false;
  #isHandling = false;
  #isDraining = false;
  #drainTimer: Timer | undefined;

  constructor(socket: WebSocket, context: ConnectionContext, options: ConnectionOptions) {
    const { clock, metrics } = context;
    this.#context = context;
    this.#socket = socket;
    this.#outbox = new Outbox(socket, {
      clock,
      sentTotal: metrics.messagesSentTotal,
      onStuck: () => this.#end(CLOSE_TRY_AGAIN_LATER, "too slow to read"),
    });
    this.#conversation = new Conversation(
      context,
      {
        send: (text) => this.#outbox.send(text),
        whenWritable: () => this.#outbox.whenWritable(),
        onIdle: () => this.#closeWhenDrained(),
      },
      options.subject,
    );
    this.#rateLimit = new RateLimit(clock, {
      perSecond: IDLE_FRAMES_PER_SECOND,
      burst: IDLE_FRAMES_BURST,
    });
    this.#stopHeartbeat = startHeartbeat(socket, clock, () => socket.terminate());
    socket.on("message", (data: Buffer, isBinary) => this.#onMessage(data, isBinary));
    // "close" follows, and says all there is to do. A frame over the limit is answered with 1009 by the socket.
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#stopHeartbeat();
      this.#drainTimer?.cancel();
      this.#waiting.length = 0;
      this.#outbox.close();
      this.#conversation.close();
      options.onClose(this);
    });
    if (options.sessionId === undefined) this.#conversation.open();
    else void this.#openWith(options.sessionId);
  }

  /** Whether a turn of this client runs, or is about to. */
  get isBusy(): boolean {
    return this.#isWorking || this.#conversation.isBusy;
  }

  /** Closes the connection once it is not busy, and no sooner than after `delayMs`. */
  drain(delayMs: number): void {
    this.#drainTimer ??= this.#context.clock.setTimer(delayMs, () => {
      this.#isDraining = true;
      this.#closeWhenDrained();
    });
  }

  /** Closes the connection after what was sent so far. */
  close(): void {
    this.#end(CLOSE_GOING_AWAY, "the agent is shutting down");
  }

  terminate(): void {
    this.#socket.terminate();
  }

  #closeWhenDrained(): void {
    if (this.#isDraining && !this.isBusy) this.close();
  }

  #end(code: number, reason: string): void {
    this.#waiting.length = 0;
    this.#socket.close(code, reason);
    // The answer to the close has to be read.
    this.#socket.resume();
  }

  async #openWith(sessionId: string): Promise<void> {
    this.#isWorking = true;
    this.#isHandling = true;
    await this.#conversation.openWith(sessionId);
    this.#isHandling = false;
    await this.#work();
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#context.metrics.messagesReceivedTotal.add(1);
    const text = isBinary ? "" : data.toString();
    const parsed: ParsedClientFrame = isBinary
      ? { ok: false, problem: "the frame is binary; frames must be JSON text" }
      : parseClientFrame(text);
    // A client that does not read may still stop its turn.
    const isHeldUp = this.#isWorking && !this.#isHandling;
    if (isHeldUp && parsed.ok && parsed.frame.type === "cancel") {
      if (this.#conversation.cancelHere(parsed.frame.session_id)) return;
    }
    this.#waiting.push({ parsed, characters: text.length });
    this.#waitingCharacters += text.length;
    if (!this.#isWorking) void this.#work();
    else if (this.#isCrowded()) this.#socket.pause();
  }

  /** Frames are handled in their order, each up to the begin of its turn, not to its end. */
  async #work(): Promise<void> {
    this.#isWorking = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const room = this.#outbox.whenWritable();
      if (room !== undefined) await room;
      if (!this.#rateLimit.take()) {
        this.#conversation.refuse(RATE_LIMITED);
      } else if (!next.parsed.ok) {
        const message = `Invalid frame: ${next.parsed.problem}.`;
        this.#conversation.refuse({ code: "INVALID_MESSAGE", message });
      } else {
        this.#isHandling = true;
        const began = await this.#handle(next.parsed.frame);
        this.#isHandling = false;
        if (began) this.#rateLimit.giveBack();
      }
      this.#waitingCharacters -= next.characters;
      if (this.#socket.isPaused && !this.#isCrowded()) this.#socket.resume();
    }
    this.#isWorking = false;
    if (this.#isDraining) this.#closeWhenDrained();
  }

  #isCrowded(): boolean {
    return (
      this.#waiting.length >= MAX_WAITING_FRAMES || this.#waitingCharacters > MAX_WAITING_CHARACTERS
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
