/** What a connection's frames do: which session they speak of, whose it is, and what goes back. Knows no socket. */
import type { Clock } from "../../time/clock.ts";
import type { Log } from "../../observability/log.ts";
import type {
  ConnectedFrame,
  ConnectionErrorFrame,
  ErrorBody,
  MessageFrame,
  ResumeFrame,
} from "../../protocol/frames.ts";
import type { CurrentStore, StoreUse } from "../sessions/current-store.ts";
import type { Limits } from "../contracts/limits.ts";
import { isSessionId } from "../sessions/session-id.ts";
import {
  SessionExistsError,
  StoreUnavailableError,
  type SessionSummary,
} from "../sessions/session-store.ts";
import type { SessionFeeds } from "../turns/session-feeds.ts";
import { timestamp } from "../turns/timestamp.ts";
import { errorBody } from "../turns/turn-ending.ts";
import { TurnError } from "../contracts/turn-error.ts";
import type { TurnBegin, TurnRunner } from "../turns/turn-runner.ts";
import { SessionView, type ViewOutlet } from "./session-view.ts";

export interface ConversationContext {
  readonly runner: TurnRunner;
  readonly feeds: SessionFeeds;
  readonly stores: CurrentStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly newSessionId: () => string;
  readonly limits: () => Limits;
}

export interface ConversationOutlet {
  send(text: string): void;
  whenWritable(): Promise<void> | undefined;
  /** Nothing more is awaited for now. */
  onIdle(): void;
}

/** The session of messages that name none: the one of the last `connected`. */
interface OwnSession {
  readonly id: string;
  /**
   * `announced`: the client knows the id, the store does not yet; an idle connection costs no session.
   * `claimed`: the client named it, and the store could not yet say whether it is the client's.
   * `known`: in the store, and this client's.
   */
  state: "announced" | "claimed" | "known";
}

/** Owns the ids of sessions that are out of use; no authenticator knows a subject of this name. */
const NOBODY = "nobody";
const RENOUNCED = "This session went on under another id, on another connection. Connect again.";

/** Of every connection that has none: most are idle. */
const NO_VIEWS = new Map<string, SessionView>();

export class Conversation implements ViewOutlet {
  readonly #context: ConversationContext;
  readonly #outlet: ConversationOutlet;
  readonly #subject: string | undefined;
  /** By session; each of them was found to be this client's. */
  #views = NO_VIEWS;
  #own: OwnSession;
  /** The session in which a turn is about to begin. */
  #beginning: string | undefined;
  #isClosed = false;

  constructor(
    context: ConversationContext,
    outlet: ConversationOutlet,
    subject: string | undefined,
  ) {
    this.#context = context;
    this.#outlet = outlet;
    this.#subject = subject;
    this.#own = { id: context.newSessionId(), state: "announced" };
  }

  /** Whether the client still awaits frames of a turn. */
  get isBusy(): boolean {
    for (const view of this.#views.values()) {
      if (view.isReading || this.#context.runner.running(view.sessionId) !== undefined) return true;
    }
    return false;
  }

  /** Begins with a new session. */
  open(): void {
    this.#sendConnected(this.#own.id, { resumed: false, seq: 0 });
  }

  /** Begins with the session that the client names; with a new one when there is no such session. */
  async openWith(sessionId: string): Promise<void> {
    this.#own = { id: sessionId, state: "claimed" };
    await this.#attempt(sessionId, async (store) => {
      const session = await this.#find(sessionId, store);
      if (session === undefined) {
        this.sendError(sessionId, sessionNotFound());
        this.#own = { id: this.#context.newSessionId(), state: "announced" };
        this.open();
        return;
      }
      this.#adopt(sessionId, session);
      if (hasTurn(session)) this.#view(sessionId, session.lastSeq).follow(session.lastSeq);
    });
  }

  /** Whether the message began a turn. */
  async message(frame: MessageFrame): Promise<boolean> {
    const named = frame.session_id ?? this.#own.id;
    let store: StoreUse | undefined;
    try {
      store = this.#openStore(named);
      const sessionId = this.#isKnown(named) ? named : await this.#enter(named, frame, store);
      const begun = await this.#begin(sessionId, frame, store);
      if (begun.status === "started") return true;
      if (begun.status !== "unknown-session") {
        this.#onNotBegun(sessionId, begun);
        return false;
      }
      this.#forget(sessionId);
      const fresh = await this.#startNewSession(store);
      return (await this.#begin(fresh, frame, store)).status === "started";
    } catch (error) {
      this.onFailure(error, named);
      return false;
    } finally {
      store?.release();
    }
  }

  /** Stops the turn if it runs on this replica; says whether it did. */
  cancelHere(named: string | undefined): boolean {
    const sessionId = named ?? this.#own.id;
    return this.#isKnown(sessionId) && this.#context.runner.cancel(sessionId);
  }

  /** Stops the turn if it waits to run here; says whether it did. */
  cancelQueued(named: string | undefined): boolean {
    const sessionId = this.#beginning;
    if (sessionId === undefined || (named !== undefined && named !== sessionId)) return false;
    return this.#context.runner.cancelQueued(sessionId);
  }

  async cancel(named: string | undefined): Promise<void> {
    const sessionId = named ?? this.#own.id;
    if (this.cancelHere(sessionId)) return;
    if (sessionId === this.#own.id && this.#own.state === "announced") return;
    await this.#attempt(sessionId, async (store) => {
      const session = await this.#find(sessionId, store);
      // No such session, or its turn has just ended: there is nothing to stop.
      if (session === undefined || !hasTurn(session) || this.#context.runner.cancel(sessionId))
        return;
      const answer = await store.store.cancelTurn(sessionId);
      if (answer === "abandoned") await this.#context.runner.recover(sessionId, store);
    });
  }

  async resume(frame: ResumeFrame): Promise<void> {
    const sessionId = frame.session_id;
    if (sessionId === this.#own.id && this.#own.state === "announced") {
      this.open();
      return;
    }
    await this.#attempt(sessionId, async (store) => {
      const session = await this.#find(sessionId, store);
      if (session === undefined) {
        this.sendError(sessionId, sessionNotFound());
        return;
      }
      this.#adopt(sessionId, session);
      const after = Math.min(frame.after, session.lastSeq);
      this.#view(sessionId, after).follow(after, hasTurn(session));
    });
  }

  /** An error that concerns no session but this connection's own. */
  refuse(error: ErrorBody): void {
    this.sendError(this.#own.id, error);
  }

  /** The client has left. Its turns go on. */
  close(): void {
    this.#isClosed = true;
    for (const view of this.#views.values()) this.#dropView(view);
  }

  /** The session that a message goes to which names this one: it is in the store then, and this client's. */
  async #enter(sessionId: string, { id }: MessageFrame, store: StoreUse): Promise<string> {
    if (sessionId === this.#own.id && this.#own.state === "announced") {
      await this.#create(sessionId, store).catch((error: unknown) => {
        throw error instanceof SessionExistsError ? new TurnError("UNAVAILABLE", RENOUNCED) : error;
      });
      this.#own.state = "known";
      return sessionId;
    }
    const session =
      (await this.#find(sessionId, store)) ??
      (id === undefined ? undefined : await this.#renounce(sessionId, store));
    if (session === undefined) return this.#startNewSession(store);
    if (sessionId === this.#own.id) this.#adopt(sessionId, session);
    return sessionId;
  }

  /**
   * Takes an unknown session's id out of use. It may have been announced by a replica that the same message is still on its
   * way to: there it must not begin a session as well, for a message with an id is run once. The session, if that
   * replica was quicker.
   */
  async #renounce(sessionId: string, use: StoreUse): Promise<SessionSummary | undefined> {
    if (!isSessionId(sessionId)) return undefined;
    try {
      await use.store.create(sessionId, { subject: NOBODY });
      return undefined;
    } catch (error) {
      if (!(error instanceof SessionExistsError)) throw error;
      return this.#find(sessionId, use);
    }
  }

  async #startNewSession(store: StoreUse): Promise<string> {
    const sessionId = this.#context.newSessionId();
    await this.#create(sessionId, store);
    this.#adopt(sessionId, { lastSeq: 0 }, false);
    return sessionId;
  }

  async #begin(sessionId: string, frame: MessageFrame, store: StoreUse): Promise<TurnBegin> {
    const { content, metadata, id } = frame;
    this.#beginning = sessionId;
    try {
      return await this.#context.runner.begin(
        { sessionId, content, metadata, messageId: id },
        store,
        (seqBefore) => this.#view(sessionId, seqBefore).expectTurn(seqBefore),
      );
    } finally {
      this.#beginning = undefined;
    }
  }

  #onNotBegun(
    sessionId: string,
    begun: Extract<TurnBegin, { status: "in-progress" | "repeated" }>,
  ): void {
    if (begun.status === "in-progress") {
      this.sendError(sessionId, {
        code: "TURN_IN_PROGRESS",
        message: "The session is still answering a message. Wait for its end, or cancel it.",
        details: { turn_id: begun.turnId },
      });
      return;
    }
    const followed = this.#views.get(sessionId);
    const view = followed ?? this.#view(sessionId, begun.seqBefore);
    if (followed === undefined && begun.running) view.follow(begun.seqBefore);
    else view.followTurn(begun);
  }

  #create(sessionId: string, { store }: StoreUse): Promise<void> {
    return store.create(sessionId, this.#subject === undefined ? {} : { subject: this.#subject });
  }

  /** A session of another subject is as unknown as one that is not there. */
  async #find(sessionId: string, { store }: StoreUse): Promise<SessionSummary | undefined> {
    if (!isSessionId(sessionId)) return undefined;
    const session = await store.find(sessionId);
    return session?.subject === this.#subject ? session : undefined;
  }

  #isKnown(sessionId: string): boolean {
    if (sessionId === this.#own.id) return this.#own.state === "known";
    return this.#views.has(sessionId);
  }

  /** Makes the session the connection's own, and says so. */
  #adopt(sessionId: string, { lastSeq }: { lastSeq: number }, resumed = true): void {
    const previous = this.#views.get(this.#own.id);
    this.#own = { id: sessionId, state: "known" };
    this.#view(sessionId, lastSeq);
    if (previous !== undefined && previous.sessionId !== sessionId) this.onIdle(previous);
    this.#sendConnected(sessionId, { resumed, seq: lastSeq });
  }

  #view(sessionId: string, seq: number): SessionView {
    const existing = this.#views.get(sessionId);
    if (existing !== undefined) return existing;
    const view = new SessionView(sessionId, seq, this);
    // A message that was on its way when its client left still gets its turn, but nobody follows it.
    if (this.#isClosed) return view;
    if (this.#views === NO_VIEWS) this.#views = new Map();
    this.#views.set(sessionId, view);
    this.#context.feeds.follow(sessionId, view);
    return view;
  }

  // For the views of sessions

  send(text: string): void {
    this.#outlet.send(text);
  }

  whenWritable(): Promise<void> | undefined {
    return this.#outlet.whenWritable();
  }

  publishedSeq(sessionId: string): number | undefined {
    return this.#context.runner.running(sessionId)?.publishedSeq;
  }

  async pause(ms: number, signal: AbortSignal): Promise<void> {
    await this.#context.clock.sleep(ms, signal).catch(() => {});
  }

  /** Sees to a turn of which nothing more comes: its replica may be gone. */
  async recover(sessionId: string): Promise<"running" | "ended"> {
    const use = this.useStore();
    try {
      return await this.#context.runner.recover(sessionId, use);
    } finally {
      use.release();
    }
  }

  useStore(): StoreUse {
    return this.#context.stores.use();
  }

  /** Other sessions than its own are followed while the client awaits something of them. */
  onIdle(view: SessionView): void {
    const isAwaited = view.isReading || this.#context.runner.running(view.sessionId) !== undefined;
    if (view.sessionId !== this.#own.id && !isAwaited) this.#dropView(view);
    this.#outlet.onIdle();
  }

  /** The session is gone. */
  #forget(sessionId: string): void {
    const view = this.#views.get(sessionId);
    if (view !== undefined) this.#dropView(view);
  }

  #dropView(view: SessionView): void {
    view.close();
    this.#views.delete(view.sessionId);
    this.#context.feeds.unfollow(view.sessionId, view);
  }

  /** The store, for one frame that is about this session. */
  #openStore(sessionId: string): StoreUse {
    if (
      this.#views.size >= this.#context.limits().maxSessionsPerConnection &&
      !this.#views.has(sessionId)
    ) {
      throw new TurnError("RATE_LIMITED", "Too many sessions at a time on one connection.");
    }
    return this.#context.stores.use();
  }

  /** Tells the client when it fails; nothing is thrown. */
  async #attempt(sessionId: string, act: (store: StoreUse) => Promise<void>): Promise<void> {
    let store: StoreUse | undefined;
    try {
      store = this.#openStore(sessionId);
      await act(store);
    } catch (error) {
      this.onFailure(error, sessionId);
    } finally {
      store?.release();
    }
  }

  /** Tells the client. */
  onFailure(error: unknown, sessionId: string): void {
    const body = errorBody(error);
    // A store that is away is told once, by the store; not again for every frame that meets it.
    if (!(error instanceof TurnError || error instanceof StoreUnavailableError)) {
      this.#context.log.error(
        { sessionId, code: body.code, error },
        "A frame of a client could not be handled",
      );
    }
    this.sendError(sessionId, body);
  }

  #sendConnected(sessionId: string, { resumed, seq }: { resumed: boolean; seq: number }): void {
    this.#send({ type: "connected", ...this.#stamp(sessionId), resumed, seq });
  }

  sendError(sessionId: string, error: ErrorBody): void {
    this.#send({ type: "error", ...this.#stamp(sessionId), error });
  }

  #stamp(sessionId: string) {
    return { session_id: sessionId, timestamp: timestamp(this.#context.clock.now()) };
  }

  #send(frame: ConnectedFrame | ConnectionErrorFrame): void {
    this.#outlet.send(JSON.stringify(frame));
  }
}

/** Whether frames are still to come: from the replica that runs the turn, or once another one goes on with it. */
function hasTurn({ runningTurnId, abandonedTurnId }: SessionSummary): boolean {
  return runningTurnId !== undefined || abandonedTurnId !== undefined;
}

function sessionNotFound(): ErrorBody {
  return { code: "SESSION_NOT_FOUND", message: "There is no such session, or it has expired." };
}
