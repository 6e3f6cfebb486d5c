/**
 * A client of the protocol, with one session and one turn of its own at a time. When the connection is lost it connects again and
 * goes on where it was: every frame of the session is passed on once and in order, and a message is run once. Connections, time
 * and randomness are passed in, so that the client can run in a browser too.
 */
import { CatchingUp } from "./catching-up.ts";
import {
  MAX_CLIENT_FRAME_BYTES,
  type AnswerFrame,
  type ApprovalRequestFrame,
  type ConnectedFrame,
  type ConnectionErrorFrame,
  type ErrorBody,
  type FinishReason,
  type ServerFrame,
  type TurnFrame,
} from "../frames.ts";
import { parseServerFrame } from "../server-frame.ts";
import { ClientError } from "./client-error.ts";
import { FrameOrder } from "./frame-order.ts";
import { OpenRequests, type Approval } from "./open-requests.ts";
import { noFrame, readGreeting, readRetryAfter } from "./read-greeting.ts";
import { SeenTurns } from "./seen-turns.ts";
import { readUnknownFrame, type UnknownFrame } from "./unknown-frame.ts";
import { DEFAULT_RECONNECT_POLICY, type ReconnectPolicy } from "./reconnect-policy.ts";
import { ReconnectingLine, type ClientTimer } from "./reconnecting-line.ts";
import type { SessionClientOptions } from "./session-client-options.ts";

export type TurnEnd =
  | { readonly type: "done"; readonly content: string; readonly finishReason: FinishReason }
  | { readonly type: "error"; readonly error: ErrorBody };

interface OwnTurn {
  /** Undefined for a turn that goes on because its calls were answered. */
  readonly message:
    | { readonly type: "message"; readonly id: string; readonly content: string }
    | undefined;
  readonly answers: readonly AnswerFrame[];
  /** The calls whose answers were sent again, and may have been taken the first time. */
  readonly answeredAgain: Set<string>;
  /** Known from the first frame on. Until then the turn cannot be resumed, so its message is sent again. */
  turnId: string | undefined;
  cancelled: boolean;
  /** When the server began to refuse the message for the moment, and when it is tried again. */
  refusal: { readonly since: number; readonly nextTryAt: number } | undefined;
  readonly end: PromiseWithResolvers<TurnEnd>;
}

export class SessionClient {
  readonly #options: SessionClientOptions;
  readonly #policy: ReconnectPolicy;
  readonly #line: ReconnectingLine;
  /** Pending while the first connection is being made. */
  /** The wait for the first connection. `since`: when it began, in milliseconds of the clock. `isLate`: the caller was told. */
  #opening: (PromiseWithResolvers<void> & { readonly since: number; isLate: boolean }) | undefined;
  #isClosed = false;

  #sessionId = "";
  #order = new FrameOrder(0);
  /** A message was sent in the session, so the server may have kept it. */
  #isUsed = false;
  #turn: OwnTurn | undefined;
  #requests = new OpenRequests();
  #catchingUp: CatchingUp | undefined;
  readonly #seenTurns = new SeenTurns();
  #retryTimer: ClientTimer | undefined;
  #silenceTimer: ClientTimer | undefined;
  #noticeTimer: ClientTimer | undefined;
  #isNoticed = false;

  private constructor(options: SessionClientOptions) {
    const { transport, token, clock, random } = options;
    this.#options = options;
    this.#policy = { ...DEFAULT_RECONNECT_POLICY, ...options.policy };
    this.#line = new ReconnectingLine(
      { transport, token, clock, random, policy: this.#policy },
      {
        readGreeting: (text) => readGreeting(text, this.#opening && options.sessionId),
        onGreeting: (greeting, text) => this.#greeted(greeting, text),
        onText: (text) => this.#receive(text),
        onLost: (error) => this.#lost(error),
        onGivenUp: (error) => this.#givenUp(error),
      },
    );
  }

  /** Rejects with a ClientError when there is no agent to talk to, or when it does not have this session. */
  static async connect(options: SessionClientOptions, signal: AbortSignal): Promise<SessionClient> {
    signal.throwIfAborted();
    const client = new SessionClient(options);
    const opening = Promise.withResolvers<void>();
    const onAbort = (): void => opening.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      client.#opening = { ...opening, since: options.clock.monotonic(), isLate: false };
      const url = new URL(options.url);
      if (options.sessionId !== undefined) url.searchParams.set("session_id", options.sessionId);
      client.#line.url = url.href;
      client.#line.open();
      await opening.promise;
      client.#line.url = options.url;
    } catch (error) {
      client.close();
      throw error;
    } finally {
      client.#opening = undefined;
      signal.removeEventListener("abort", onAbort);
    }
    return client;
  }

  get sessionId(): string {
    return this.#sessionId;
  }

  /** The last `seq` that was passed on. */
  get seq(): number {
    return this.#order.seq;
  }

  /** The calls that wait for an approval and that this client has not answered, as far as it was told. */
  get openRequests(): readonly Approval[] {
    return this.#requests.open;
  }

  /**
   * Runs one turn to its end. Rejects with a ClientError when the server is lost for good, or with the reason of `signal`. `id` is
   * the message's own; no other message has it.
   */
  turn(
    content: string,
    signal: AbortSignal,
    id: string = this.#options.newMessageId(),
  ): Promise<TurnEnd> {
    return this.#run({ message: { type: "message", id, content }, answers: [] }, signal);
  }

  /**
   * Answers calls that wait for an approval, and runs the turn that goes on to its end. Answers undefined at once when other calls
   * wait still, since no turn goes on then. Rejects as `turn` does.
   */
  async answer(answers: readonly AnswerFrame[], signal: AbortSignal): Promise<TurnEnd | undefined> {
    const answered = new Set(answers.map(({ id }) => id));
    if (this.#requests.open.every(({ id }) => answered.has(id))) {
      return await this.#run({ message: undefined, answers }, signal);
    }
    signal.throwIfAborted();
    this.#sendAnswers(answers);
    return undefined;
  }

  /** Settles when all came that the server had to say of the session until now. Rejects as `turn` does. */
  async caughtUp(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#isUsed) return;
    const catchingUp = (this.#catchingUp ??= new CatchingUp());
    const onAbort = (): void => catchingUp.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      this.#line.awaitAnswer();
      if (this.#line.isOpen) this.#resume();
      await catchingUp.promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#catchingUp = undefined;
      this.#line.stopAwaiting();
    }
  }

  async #run(asked: Pick<OwnTurn, "message" | "answers">, signal: AbortSignal): Promise<TurnEnd> {
    if (this.#turn !== undefined) throw new Error("a turn is running already");
    signal.throwIfAborted();
    if (this.#isClosed) throw closed();
    const turn: OwnTurn = {
      ...asked,
      answeredAgain: new Set(),
      turnId: undefined,
      cancelled: false,
      refusal: undefined,
      end: Promise.withResolvers<TurnEnd>(),
    };
    for (const text of this.#textsOf(turn)) {
      if (new TextEncoder().encode(text).length <= MAX_CLIENT_FRAME_BYTES) continue;
      const limit = `${MAX_CLIENT_FRAME_BYTES / 1024} KiB`;
      throw new ClientError("too-large", `A message may have ${limit}; this one has more.`);
    }
    const onAbort = (): void => turn.end.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    this.#turn = turn;
    try {
      if (!this.#line.isOpen) this.#noticeSoon();
      this.#line.awaitAnswer();
      if (this.#line.isOpen) this.#ask(turn);
      return await turn.end.promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#turn = undefined;
      this.#line.stopAwaiting();
      this.#retryTimer?.cancel();
      this.#silenceTimer?.cancel();
      this.#noticeBack();
    }
  }

  /** Asks the server to stop the running turn, which then ends as cancelled. Returns whether there was something to ask for. */
  cancel(): boolean {
    if (this.#turn === undefined || this.#turn.cancelled) return false;
    this.#turn.cancelled = true;
    this.#sendCancel();
    return true;
  }

  /** Asks the server to stop the turn that runs in the session, whoever began it. */
  cancelAny(): void {
    if (!this.cancel()) this.#sendCancel();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const timer of [this.#retryTimer, this.#silenceTimer, this.#noticeTimer]) timer?.cancel();
    this.#turn?.end.reject(closed());
    this.#catchingUp?.reject(closed());
    this.#line.close();
  }

  #greeted(greeting: ConnectedFrame, text: string): void {
    const turn = this.#turn;
    if (this.#opening !== undefined) {
      this.#enter(greeting);
      this.#isUsed = greeting.resumed;
      this.#options.onFrame(greeting, text, true);
      this.#opening.resolve();
      this.#catchUpFrom(greeting);
    } else {
      // No message was sent yet, so the session of this connection can take the place of the one before.
      if (!this.#isUsed) this.#enter(greeting);
      if (turn !== undefined) {
        this.#askForTurn(turn);
        if (turn.cancelled) this.#sendCancel();
      } else if (this.#isUsed) {
        this.#resume();
      }
    }
    this.#noticeBack();
    this.#options.onLine?.({ type: "open" });
  }

  /** Asks for what came in the session before the connection. */
  #catchUpFrom({ seq, resumed }: ConnectedFrame): void {
    const { after } = this.#options;
    if (after === undefined || !resumed || after >= seq) return;
    this.#order = new FrameOrder(after);
    this.#resume();
  }

  #lost(error: ClientError): void {
    this.#openingFailed(error);
    this.#options.onLine?.({ type: "lost", error });
    this.#retryTimer?.cancel();
    this.#silenceTimer?.cancel();
    this.#noticeSoon();
  }

  #openingFailed(error: ClientError): void {
    const { clock, onOpeningLate } = this.#options;
    const opening = this.#opening;
    if (opening === undefined) return;
    if (!error.temporary || clock.monotonic() - opening.since >= this.#policy.openingMs) {
      opening.reject(error);
      return;
    }
    if (!opening.isLate) onOpeningLate?.(error);
    opening.isLate = true;
  }

  #givenUp(error: ClientError): void {
    this.#opening?.reject(error);
    this.#options.onLine?.({ type: "given-up", error });
    // The next message makes the line try again.
    this.#turn?.end.reject(error);
    this.#catchingUp?.reject(error);
  }

  #noticeSoon(): void {
    if (this.#turn === undefined || this.#noticeTimer !== undefined) return;
    this.#noticeTimer = this.#options.clock.setTimer(this.#policy.noticeMs, () => {
      this.#isNoticed = true;
      this.#options.onHeldUp?.("lost");
    });
  }

  #noticeBack(): void {
    this.#noticeTimer?.cancel();
    this.#noticeTimer = undefined;
    if (this.#isNoticed && this.#line.isOpen) this.#options.onHeldUp?.("back");
    this.#isNoticed = false;
  }

  #send(frame: object): void {
    this.#line.send(JSON.stringify(frame));
  }

  /** What the turn is asked for with. */
  #textsOf({ message, answers }: Pick<OwnTurn, "message" | "answers">): string[] {
    const frames = message === undefined ? answers : [message];
    return frames.map((frame) => JSON.stringify({ ...frame, session_id: this.#sessionId }));
  }

  #sendAnswers(answers: readonly AnswerFrame[]): void {
    for (const { id } of answers) this.#requests.answered(id);
    for (const text of this.#textsOf({ message: undefined, answers })) this.#line.send(text);
  }

  #ask(turn: OwnTurn): void {
    this.#isUsed = true;
    if (turn.message === undefined) this.#sendAnswers(turn.answers);
    else for (const text of this.#textsOf(turn)) this.#line.send(text);
  }

  /** Asks for the frames of the turn, in whichever way the server can answer. */
  #askForTurn(turn: OwnTurn): void {
    // The server knows the id of a message, so it does not run the message twice. Answers are sent again when the server says
    // that it waits for them still.
    if (turn.turnId === undefined && turn.message !== undefined) this.#ask(turn);
    else this.#resume();
  }

  #resume(): void {
    this.#order.ask();
    this.#send({ type: "resume", session_id: this.#sessionId, after: this.#order.seq });
    this.#awaitSomething();
  }

  /** The turn may have ended unseen. When nothing comes of it, its message is sent again, and the answer tells how it ended. */
  #awaitSomething(): void {
    const turn = this.#turn;
    if (turn === undefined) return;
    this.#silenceTimer?.cancel();
    this.#silenceTimer = this.#options.clock.setTimer(this.#policy.silenceMs, () => {
      for (const text of this.#textsOf(turn)) this.#line.send(text);
    });
  }

  #sendCancel(): void {
    this.#send({ type: "cancel", session_id: this.#sessionId });
  }

  #receive(text: string): void {
    const parsed = parseServerFrame(text);
    if (!parsed.ok) {
      const unknown = readUnknownFrame(text);
      if (unknown === undefined) this.#turn?.end.reject(noFrame(parsed.problem));
      else if (this.#isNext(unknown)) this.#options.onFrame(undefined, text, true);
      return;
    }
    const { frame } = parsed;
    if (frame.type === "connected") {
      if (frame.session_id === this.#sessionId) this.#order.answered(frame.seq);
      else this.#enter(frame);
      this.#requests.listedAgain();
      if (this.#catchingUp?.connected() === true) this.#resume();
      this.#options.onFrame(frame, text, true);
    } else if (isOfTurn(frame)) {
      this.#receiveOfTurn(frame, text);
    } else {
      this.#receiveError(frame, text);
    }
  }

  #receiveOfTurn(frame: TurnFrame, text: string): void {
    if (frame.type === "approval_request" && this.#isPassed(frame)) {
      this.#receiveAgain(frame, text);
      return;
    }
    // A frame that shows a gap comes again, but it may be the only one that tells which turn is ours.
    const isOwn = this.#isOwn(frame);
    if (!this.#isNext(frame)) return;
    if (isOwn) {
      this.#line.fare();
      if (this.#turn !== undefined) this.#turn.refusal = undefined;
      this.#silenceTimer?.cancel();
      this.#noticeBack();
    }
    this.#requests.heard(frame);
    this.#options.onFrame(frame, text, isOwn);
    if (!isOwn) return;
    if (frame.type === "done") {
      const { content, finish_reason: finishReason } = frame;
      this.#turn?.end.resolve({ type: "done", content, finishReason });
    } else if (frame.type === "error") {
      this.#turn?.end.resolve({ type: "error", error: frame.error });
    }
  }

  /** Whether the frame, or what came instead of it, was passed on before: it has been sent again because a call waits still. */
  #isPassed({ session_id, seq }: ApprovalRequestFrame): boolean {
    return session_id === this.#sessionId && seq <= this.#order.seq;
  }

  #receiveAgain(frame: ApprovalRequestFrame, text: string): void {
    const { id } = frame.approval;
    this.#seenTurns.add(frame.turn_id);
    if (this.#requests.heardAgain(frame)) this.#options.onFrame(frame, text, true);
    const turn = this.#turn;
    const answer = turn?.answers.find((each) => each.id === id);
    if (turn === undefined || answer === undefined) return;
    turn.answeredAgain.add(id);
    this.#sendAnswers([answer]);
  }

  /** Whether the frame is the next to be passed on. If frames before it are missing, they are asked for. */
  #isNext({ session_id, seq }: UnknownFrame): boolean {
    if (session_id !== this.#sessionId || typeof seq !== "number") return true;
    const arrival = this.#order.take(seq);
    if (arrival === "gap") this.#resume();
    return arrival === "next";
  }

  /** Whether the frame belongs to the turn that this client's message began. */
  #isOwn(frame: TurnFrame): boolean {
    const turn = this.#turn;
    const { turn_id: turnId, message_id: messageId } = frame;
    if (turn?.message !== undefined && messageId === turn.message.id) turn.turnId = turnId;
    // When the server does not tell the id of the message, the first turn that was not seen before is ours.
    else if (messageId === undefined && turn?.turnId === undefined && !this.#seenTurns.has(turnId))
      if (turn !== undefined) turn.turnId = turnId;
    if (turn?.turnId === turnId) return true;
    this.#seenTurns.add(turnId);
    return false;
  }

  /** Handles an error outside a turn. It is about something that was sent, or about a turn whose end could not be stored. */
  #receiveError(frame: ConnectionErrorFrame, text: string): void {
    const turn = this.#turn;
    const retryAfterMs = readRetryAfter(frame.error);
    if (turn !== undefined && this.#triesAgain(turn, frame.error, retryAfterMs)) return;
    const { id, open } = frame.error.details ?? {};
    if (frame.error.code === "INVALID_MESSAGE" && typeof id === "string") {
      this.#requests.refused(id, open === true);
      // It was taken when it was sent first.
      if (open !== true && turn?.answeredAgain.delete(id) === true) {
        this.#resume();
        return;
      }
    }
    if (frame.error.code === "SESSION_NOT_FOUND" && frame.session_id === this.#sessionId)
      this.#isUsed = false;
    this.#options.onFrame(frame, text, true);
    turn?.end.resolve({ type: "error", error: frame.error });
  }

  #triesAgain(turn: OwnTurn, { code }: ErrorBody, retryAfterMs: number | undefined): boolean {
    if (retryAfterMs !== undefined && (code === "UNAVAILABLE" || code === "RATE_LIMITED")) {
      const now = this.#options.clock.monotonic();
      const { refusedMs, longestMs } = this.#policy;
      const last = turn.refusal;
      // The message was not refused for a while, so the time is counted from this refusal.
      const since = last === undefined || now - last.nextTryAt > longestMs ? now : last.since;
      if (now - since + retryAfterMs > refusedMs) return false;
      this.#retryTimer?.cancel();
      const pause = retryAfterMs * (0.5 + this.#options.random());
      turn.refusal = { since, nextTryAt: now + pause };
      this.#noticeSoon();
      this.#retryTimer = this.#options.clock.setTimer(pause, () => {
        if (this.#line.isOpen) this.#askForTurn(turn);
      });
      return true;
    }
    // A turn that runs on another replica cannot be cancelled everywhere, and goes on.
    if (code === "UNAVAILABLE" && turn.cancelled && turn.turnId !== undefined) {
      this.#awaitSomething();
      return true;
    }
    return false;
  }

  #enter({ session_id, seq }: ConnectedFrame): void {
    this.#sessionId = session_id;
    this.#order = new FrameOrder(seq);
    this.#requests = new OpenRequests();
  }
}

function isOfTurn(frame: Exclude<ServerFrame, ConnectedFrame>): frame is TurnFrame {
  return "seq" in frame && frame.seq !== undefined;
}

function closed(): ClientError {
  return new ClientError("closed", "The chat was closed.");
}
