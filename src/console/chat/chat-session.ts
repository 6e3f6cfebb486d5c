/**
 * Talks in one session of an agent, and keeps what a page shows of it: the conversation, the state of the connection, and what became
 * of what was asked. It knows nothing of how it is shown; listeners are told when there is something new.
 */
import type { SessionTimeline } from "../../http-api/session-views.ts";
import { ClientError, type ClientErrorCode } from "../../protocol/client/client-error.ts";
import type { Approval } from "../../protocol/client/open-requests.ts";
import type { LineState } from "../../protocol/client/session-client-options.ts";
import { SessionClient, type TurnEnd } from "../../protocol/client/session-client.ts";
import type { TokenProvider, Transport } from "../../protocol/client/transport.ts";
import type { AnswerFrame, ErrorBody, ErrorCode, ServerFrame } from "../../protocol/frames.ts";
import type { Clock } from "../../time/clock.ts";
import { untilAborted } from "../../time/until-aborted.ts";
import {
  isPending,
  knownUpTo,
  NO_CONVERSATION,
  reduce,
  resumeAfter,
  type Conversation,
  type ConversationEvent,
  type Turn,
} from "./conversation.ts";

export interface ChatSessionOptions {
  /** The address of the agent, with agent and namespace. */
  readonly url: string;
  readonly transport: Transport;
  readonly token: TokenProvider;
  readonly clock: Clock;
  readonly random: () => number;
  /** Returns a text that no other message has. */
  readonly newMessageId: () => string;
  /** The session to go on with; without it a new one begins with the first message. */
  readonly sessionId: string | undefined;
  /**
   * What the session remembers: all of it, or what it knows from the turn `since` on. Undefined where the caller may not read it, and rejects where it
   * cannot be had.
   */
  readonly loadTimeline: (
    sessionId: string,
    asked: { since?: string | undefined; signal: AbortSignal },
  ) => Promise<SessionTimeline | undefined>;
  /** Whether the reason why a timeline could not be had is that there is no such session. */
  readonly isNoSession: (error: unknown) => boolean;
}

export type Line =
  | { readonly type: "connecting"; readonly since: number }
  | { readonly type: "open" }
  | { readonly type: "lost"; readonly since: number; readonly message: string }
  | { readonly type: "given-up"; readonly code: ClientErrorCode; readonly message: string };

/** What was asked for and not taken. */
export interface Refusal {
  readonly code: ErrorCode | ClientErrorCode;
  readonly message: string;
  /** In milliseconds since 1970. */
  readonly retryAt: number | undefined;
  /** The message that was not taken, which may be sent again. */
  readonly content: string | undefined;
}

export interface ChatState {
  readonly conversation: Conversation;
  readonly line: Line;
  /** The session's past is being asked for. */
  readonly isLoading: boolean;
  /** Why the session's past cannot be shown. */
  readonly unreadable: string | undefined;
  /** The session that was asked for is not there, or is somebody else's. */
  readonly isNoSession: boolean;
  /** The session is somebody else's, and may be read. */
  readonly isOthers: boolean;
  readonly refusal: Refusal | undefined;
  /** What this page has answered to calls that wait. */
  readonly answers: ReadonlyMap<string, AnswerFrame["type"]>;
}

export class ChatSession {
  readonly #options: ChatSessionOptions;
  readonly #listeners = new Set<() => void>();
  readonly #closed = new AbortController();
  #state: ChatState;
  #client: SessionClient | undefined;
  /** What was sent before there was a connection waits for it. */
  #opened = Promise.withResolvers<SessionClient>();
  #isTalking = false;

  constructor(options: ChatSessionOptions) {
    this.#options = options;
    this.#state = {
      conversation: NO_CONVERSATION,
      line: { type: "connecting", since: options.clock.now() },
      isLoading: options.sessionId !== undefined,
      unreadable: undefined,
      isNoSession: false,
      isOthers: false,
      refusal: undefined,
      answers: new Map(),
    };
  }

  readonly state = (): ChatState => this.#state;

  /** Calls back after each change, until the returned function is called. */
  readonly follow = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  get openRequests(): readonly Approval[] {
    return this.#client?.openRequests ?? [];
  }

  /** Connects. Settles when that has gone well or has been given up, which the state tells. */
  async start(): Promise<void> {
    const { sessionId, clock } = this.#options;
    const { signal } = this.#closed;
    this.#opened = Promise.withResolvers();
    // Whether somebody waits for it or not.
    this.#opened.promise.catch(() => undefined);
    this.#change({ line: { type: "connecting", since: clock.now() } });
    let after = 0;
    if (sessionId !== undefined) {
      const timeline = await this.#load(sessionId);
      if (signal.aborted || this.#state.isNoSession) return;
      if (timeline?.session.own === false) {
        this.#change({ isOthers: true });
        return;
      }
      if (timeline !== undefined) after = resumeAfter(timeline);
    }
    try {
      this.#client = await this.#connect(after, signal);
      this.#opened.resolve(this.#client);
    } catch (error) {
      this.#opened.reject(error);
      if (signal.aborted) return;
      const failure = error instanceof ClientError ? error : undefined;
      if (failure?.code === "session-not-found") {
        this.#change({ isNoSession: true });
        return;
      }
      const message = failure?.message ?? "The connection could not be made.";
      this.#change({ line: { type: "given-up", code: failure?.code ?? "unreachable", message } });
    }
  }

  /** Connects again after the line was given up. */
  retry(): void {
    const client = this.#client;
    if (client === undefined) {
      void this.start();
      return;
    }
    this.#change({ line: { type: "connecting", since: this.#options.clock.now() } });
    client.caughtUp(this.#closed.signal).catch(() => undefined);
    // Where nothing was said, there is nothing to catch up with, and the next message connects.
    if (this.#state.conversation.turns.length === 0) this.#change({ line: { type: "open" } });
  }

  /** Says that the agent takes connections again. Where a token is not taken, another one is needed. */
  agentIsReady(): void {
    const { line } = this.#state;
    if (line.type === "given-up" && line.code !== "unauthorized") this.retry();
  }

  /** Sends a message. The state tells what becomes of it. */
  send(content: string): void {
    const { newMessageId, clock } = this.#options;
    if (this.#isTalking) return;
    const messageId = newMessageId();
    this.#change({ refusal: undefined });
    this.#apply({ type: "sent", messageId, content, at: clock.now() });
    const ask = async (): Promise<TurnEnd> => {
      const client = await untilAborted(this.#opened.promise, this.#closed.signal);
      return await client.turn(content, this.#closed.signal, messageId);
    };
    void this.#talk(ask, messageId, content);
  }

  /** Answers calls that wait for an approval. */
  answer(frames: readonly AnswerFrame[]): void {
    const client = this.#client;
    if (client === undefined || this.#isTalking) return;
    const answers = new Map(this.#state.answers);
    for (const { id, type } of frames) answers.set(id, type);
    this.#change({ answers, refusal: undefined });
    void this.#talk(() => client.answer(frames, this.#closed.signal));
  }

  /** Stops the turn that runs, whoever began it. */
  cancel(): void {
    this.#client?.cancelAny();
  }

  /** Looks at the turn that runs and of which nothing has come, in the place of sending a message. */
  followRunning(): void {
    this.#change({ refusal: undefined });
    this.#client?.caughtUp(this.#closed.signal).catch(() => undefined);
    void this.#refresh();
  }

  dismissRefusal(): void {
    this.#change({ refusal: undefined });
  }

  close(): void {
    this.#closed.abort(new Error("The page was left."));
    this.#client?.close();
    this.#listeners.clear();
  }

  async #load(sessionId: string): Promise<SessionTimeline | undefined> {
    const { loadTimeline, isNoSession } = this.#options;
    try {
      const timeline = await loadTimeline(sessionId, { signal: this.#closed.signal });
      if (timeline !== undefined) this.#apply({ type: "history", timeline });
      this.#change({ isLoading: false, unreadable: undefined });
      return timeline;
    } catch (error) {
      if (this.#closed.signal.aborted) return undefined;
      const message = error instanceof Error ? error.message : "It could not be read.";
      if (isNoSession(error)) this.#change({ isLoading: false, isNoSession: true });
      else this.#change({ isLoading: false, unreadable: message });
      return undefined;
    }
  }

  /** Fetches what only the session counts, such as the model of a turn. What is shown stays if that fails. */
  async #refresh(): Promise<void> {
    const { conversation } = this.#state;
    const { sessionId } = conversation;
    if (sessionId === undefined) return;
    const { signal } = this.#closed;
    const since = knownUpTo(conversation);
    try {
      const timeline = await this.#options.loadTimeline(sessionId, { since, signal });
      if (timeline === undefined || signal.aborted) return;
      if (timeline.session.id !== this.#state.conversation.sessionId) return;
      this.#apply({ type: "history", timeline });
    } catch {
      // The next end of a turn asks again.
    }
  }

  async #connect(after: number, signal: AbortSignal): Promise<SessionClient> {
    const { url, transport, token, clock, random, newMessageId, sessionId } = this.#options;
    return await SessionClient.connect(
      {
        url,
        transport,
        token,
        clock,
        random,
        newMessageId,
        sessionId,
        after,
        onFrame: (frame) => frame !== undefined && this.#heard(frame),
        onLine: (state) => this.#onLine(state),
      },
      signal,
    );
  }

  #heard(frame: ServerFrame): void {
    const before = this.#state.conversation.turns;
    this.#apply({ type: "frame", frame });
    const isEnd = frame.type === "done" || (frame.type === "error" && "seq" in frame);
    if (isEnd || this.#isBegunElsewhere(frame, before)) void this.#refresh();
    if (frame.type === "error" && !("seq" in frame)) this.#refused(frame.error);
  }

  /** Whether a frame is the first of a turn that another page or program began: frames do not tell what was asked. */
  #isBegunElsewhere(frame: ServerFrame, before: readonly Turn[]): boolean {
    if (!("turn_id" in frame) || frame.turn_id === undefined) return false;
    const isOfFrame = ({ id }: Turn): boolean => id === frame.turn_id;
    if (before.findLast(isOfFrame) !== undefined) return false;
    const turn = this.#state.conversation.turns.findLast(isOfFrame);
    return turn !== undefined && turn.sent === undefined && turn.recorded === undefined;
  }

  /** Takes an error that ends no turn. One about a message that waits is told by that message. */
  #refused(error: ErrorBody): void {
    const { code, message, details } = error;
    if (details?.["kept_after"] !== undefined) return;
    if (code === "INVALID_MESSAGE" && typeof details?.["id"] === "string") {
      const answers = new Map(this.#state.answers);
      answers.delete(details["id"]);
      this.#change({ answers });
    }
    this.#change({ refusal: { code, message, retryAt: this.#retryAt(error), content: undefined } });
  }

  #retryAt({ details }: ErrorBody): number | undefined {
    const seconds = details?.["retry_after"];
    if (typeof seconds !== "number" || !(seconds >= 0)) return undefined;
    return this.#options.clock.now() + seconds * 1_000;
  }

  async #talk(
    ask: () => Promise<TurnEnd | undefined>,
    messageId?: string,
    content?: string,
  ): Promise<void> {
    this.#isTalking = true;
    try {
      const end = await ask();
      if (end?.type === "error" && this.#isWaiting(messageId)) {
        const { code, message } = end.error;
        this.#takeBack(messageId, { code, message, retryAt: this.#retryAt(end.error), content });
      }
    } catch (error) {
      if (this.#closed.signal.aborted) return;
      const { code, message } =
        error instanceof ClientError ? error : new ClientError("closed", String(error));
      // Once the turn is known it goes on at the agent, and is followed again when the connection is back.
      if (messageId !== undefined && !this.#isWaiting(messageId)) return;
      this.#takeBack(messageId, { code, message, retryAt: undefined, content });
    } finally {
      this.#isTalking = false;
      this.#tell();
    }
  }

  #isWaiting(messageId: string | undefined): boolean {
    return this.#state.conversation.turns.some(
      (turn) => isPending(turn) && turn.messageId === messageId,
    );
  }

  #takeBack(messageId: string | undefined, refusal: Refusal): void {
    if (messageId !== undefined) this.#apply({ type: "refused", messageId });
    this.#change({ refusal });
  }

  #onLine(state: LineState): void {
    switch (state.type) {
      case "open":
        this.#change({ line: { type: "open" } });
        return;
      case "lost": {
        const { line } = this.#state;
        const since = line.type === "lost" ? line.since : this.#options.clock.now();
        this.#apply({ type: "lost" });
        this.#change({ line: { type: "lost", since, message: state.error.message } });
        return;
      }
      case "given-up": {
        const { code, message } = state.error;
        this.#change({ line: { type: "given-up", code, message } });
      }
    }
  }

  #apply(event: ConversationEvent): void {
    this.#change({ conversation: reduce(this.#state.conversation, event) });
  }

  #change(change: Partial<ChatState>): void {
    this.#state = { ...this.#state, ...change };
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
