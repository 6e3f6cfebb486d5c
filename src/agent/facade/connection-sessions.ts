/** What the frames of one client do: which session each of them speaks of, whose session it is, and what is answered. */
import type { Clock } from "../../time/clock.ts";
import type { Log } from "../../observability/log.ts";
import type { TraceParent } from "../../observability/tracing/trace-parent.ts";
import type { AnswerFrame, ErrorBody, MessageFrame, ResumeFrame } from "../../protocol/frames.ts";
import type { StoreUse } from "../sessions/current-store.ts";
import type { Limits } from "../contracts/limits.ts";
import type { SessionClient } from "../sessions/session-client.ts";
import { SessionExistsError, type SessionSummary } from "../sessions/session-store.ts";
import type { SessionFeeds } from "../turns/session-feeds.ts";
import { TurnError } from "../contracts/turn-error.ts";
import { notOpen } from "../turns/call-answer.ts";
import type { TurnBegin, TurnRunner } from "../turns/turn-runner.ts";
import { createSession, findSession, hasTurn, renounceSession } from "./client-session.ts";
import { ConnectionFrames, type FrameOutlet } from "./connection-frames.ts";
import { FollowedSessions } from "./followed-sessions.ts";
import type { SessionSource } from "./session-source.ts";
import type { SessionView, ViewOwner } from "./session-view.ts";

/** What the sessions of all connections share. */
export interface SessionsContext {
  readonly runner: TurnRunner;
  readonly feeds: SessionFeeds;
  readonly source: SessionSource;
  readonly clock: Clock;
  readonly log: Log;
  readonly newSessionId: () => string;
  readonly limits: () => Limits;
}

export interface SessionsOwner {
  /** A turn has ended for the client, or the client awaits nothing more of a session. */
  onIdle(): void;
}

export interface SessionsClient {
  readonly client: SessionClient;
  readonly outlet: FrameOutlet;
  readonly owner: SessionsOwner;
  /** The place in a trace that the client named when it connected. */
  readonly traceParent?: TraceParent | undefined;
}

/** The session of the messages that name none: the one that the last `connected` frame named. */
interface OwnSession {
  readonly id: string;
  /**
   * `announced`: the client knows the id, and the store does not yet, so that an idle connection costs no session.
   * `claimed`: the client named it, and the store could not yet say whether it is the client's.
   * `known`: it is in the store, and it is the client's.
   */
  state: "announced" | "claimed" | "known";
}

const RENOUNCED = "This session went on under another id, on another connection. Connect again.";

export class ConnectionSessions implements ViewOwner {
  readonly #context: SessionsContext;
  readonly #frames: ConnectionFrames;
  readonly #followed: FollowedSessions;
  readonly #client: SessionClient;
  readonly #owner: SessionsOwner;
  readonly #traceParent: TraceParent | undefined;
  #own: OwnSession;
  /** The session in which a turn is about to begin. */
  #beginning: string | undefined;

  constructor(context: SessionsContext, { client, outlet, owner, traceParent }: SessionsClient) {
    const { clock, feeds, source } = context;
    const frames = new ConnectionFrames(outlet, context);
    this.#context = context;
    this.#frames = frames;
    this.#followed = new FollowedSessions(feeds, {
      outlet,
      frames,
      source,
      clock,
      owner: this,
      sessionOwner: client,
    });
    this.#client = client;
    this.#owner = owner;
    this.#traceParent = traceParent;
    this.#own = this.#announced();
  }

  /** Whether the client still awaits frames of a turn. */
  get isBusy(): boolean {
    return this.#followed.isBusy;
  }

  /** Begins with a new session. */
  open(): void {
    this.#frames.sendConnected(this.#own.id, { resumed: false, seq: 0 });
  }

  /** Begins with the session that the client names, or with a new one when there is no such session. */
  async openWith(sessionId: string): Promise<void> {
    this.#own = { id: sessionId, state: "claimed" };
    await this.#attempt(sessionId, async (use) => {
      const session = await this.#find(sessionId, use);
      if (session === undefined) {
        this.#frames.sendError(sessionId, sessionNotFound());
        this.#own = this.#announced();
        this.open();
        return;
      }
      this.#adopt(sessionId, session);
      this.#frames.sendRequests(session.waiting?.requests ?? []);
      if (hasTurn(session)) {
        this.#followed.follow(sessionId, session.lastSeq).follow(session.lastSeq);
      }
    });
  }

  /** Answers whether the message began a turn. */
  async message(frame: MessageFrame): Promise<boolean> {
    const named = frame.session_id ?? this.#own.id;
    let use: StoreUse | undefined;
    try {
      use = this.#useStore(named);
      const sessionId = this.#isKnown(named) ? named : await this.#enter(named, frame, use);
      const begun = await this.#begin(sessionId, frame, use);
      this.#beginning = undefined;
      if (begun.status === "started") return true;
      if (begun.status !== "unknown-session") {
        this.#onNotBegun(sessionId, begun);
        return false;
      }
      this.#followed.unfollow(sessionId);
      const fresh = await this.#startNewSession(use);
      return (await this.#begin(fresh, frame, use)).status === "started";
    } catch (error) {
      this.#frames.sendFailure(named, error);
      return false;
    } finally {
      this.#beginning = undefined;
      use?.release();
    }
  }

  /** Stops the turn if it runs on this replica; answers whether it did. */
  cancelHere(named: string | undefined): boolean {
    const sessionId = named ?? this.#own.id;
    return this.#isKnown(sessionId) && this.#context.runner.cancel(sessionId);
  }

  /** Stops the turn if it waits to run here; answers whether it did. */
  cancelQueued(named: string | undefined): boolean {
    const sessionId = this.#beginning;
    if (sessionId === undefined || (named !== undefined && named !== sessionId)) return false;
    return this.#context.runner.cancelQueued(sessionId);
  }

  async cancel(named: string | undefined): Promise<void> {
    const sessionId = named ?? this.#own.id;
    if (this.cancelHere(sessionId)) return;
    if (sessionId === this.#own.id && this.#own.state === "announced") return;
    const { runner } = this.#context;
    const { owner } = this.#client;
    await this.#attempt(sessionId, async (use) => {
      const session = await this.#find(sessionId, use);
      // Without such a session, or when its turn has just ended, there is nothing to stop.
      if (session === undefined || !hasTurn(session) || runner.cancel(sessionId)) return;
      const answer = await use.store.cancelTurn(sessionId, owner);
      if (answer === "abandoned") await runner.recover(sessionId, this.#client, use);
    });
  }

  /** Answers whether the answer to an approval request made its turn go on. */
  async answer(frame: AnswerFrame): Promise<boolean> {
    const sessionId = frame.session_id ?? this.#own.id;
    let hasBegun = false;
    await this.#attempt(sessionId, async (use) => {
      // A session that is not in the store yet has no calls.
      if (sessionId === this.#own.id && this.#own.state === "announced") throw notOpen(frame.id);
      const session = await this.#find(sessionId, use);
      if (session === undefined) {
        this.#frames.sendError(sessionId, sessionNotFound());
        return;
      }
      if (!this.#isKnown(sessionId) && sessionId === this.#own.id) this.#adopt(sessionId, session);
      const client = this.#client;
      const status = await this.#context.runner.answer(
        { sessionId, client, frame, waiting: session.waiting },
        use,
        (seqBefore) => this.#followed.follow(sessionId, seqBefore).expectTurn(seqBefore),
      );
      hasBegun = status === "started";
      if (status === "unknown-session") this.#frames.sendError(sessionId, sessionNotFound());
      if (status === "not-open") throw notOpen(frame.id);
    });
    return hasBegun;
  }

  async resume(frame: ResumeFrame): Promise<void> {
    const sessionId = frame.session_id;
    if (sessionId === this.#own.id && this.#own.state === "announced") {
      this.open();
      return;
    }
    await this.#attempt(sessionId, async (use) => {
      const session = await this.#find(sessionId, use);
      if (session === undefined) {
        this.#frames.sendError(sessionId, sessionNotFound());
        return;
      }
      this.#adopt(sessionId, session);
      const after = Math.min(frame.after, session.lastSeq);
      const open = session.waiting?.requests ?? [];
      // Those behind `after` come at their place among the frames.
      this.#frames.sendRequests(open.filter(({ seq }) => seq <= after));
      this.#followed.follow(sessionId, after).follow(after, hasTurn(session), open);
    });
  }

  /** Sends an error that concerns no session but this connection's own. */
  refuse(error: ErrorBody): void {
    this.#frames.sendError(this.#own.id, error);
  }

  /** The client has left. Its turns go on. */
  close(): void {
    this.#followed.close();
  }

  /** A session other than the connection's own is followed only while the client awaits something of it. */
  onIdle(view: SessionView): void {
    if (view.sessionId !== this.#own.id && !view.isAwaited) {
      this.#followed.unfollow(view.sessionId);
    }
    this.#owner.onIdle();
  }

  /** The session for a message that names this one. It is in the store then, and this client's. */
  async #enter(sessionId: string, { id }: MessageFrame, use: StoreUse): Promise<string> {
    if (sessionId === this.#own.id && this.#own.state === "announced") {
      await createSession(use.store, sessionId, this.#client).catch((error: unknown) => {
        throw error instanceof SessionExistsError ? new TurnError("UNAVAILABLE", RENOUNCED) : error;
      });
      this.#own.state = "known";
      return sessionId;
    }
    let session = await this.#find(sessionId, use);
    if (session === undefined && id !== undefined) {
      session = await renounceSession(use.store, sessionId, this.#client);
    }
    if (session === undefined) return this.#startNewSession(use);
    if (sessionId === this.#own.id) this.#adopt(sessionId, session);
    return sessionId;
  }

  async #startNewSession(use: StoreUse): Promise<string> {
    const sessionId = this.#context.newSessionId();
    await createSession(use.store, sessionId, this.#client);
    this.#adopt(sessionId, { lastSeq: 0 }, false);
    return sessionId;
  }

  #begin(sessionId: string, frame: MessageFrame, use: StoreUse): Promise<TurnBegin> {
    const { content, metadata, id } = frame;
    this.#beginning = sessionId;
    return this.#context.runner.begin(
      {
        sessionId,
        client: this.#client,
        content,
        metadata,
        messageId: id,
        traceParent: this.#traceParent,
      },
      use,
      (seqBefore) => this.#followed.follow(sessionId, seqBefore).expectTurn(seqBefore),
    );
  }

  #onNotBegun(
    sessionId: string,
    begun: Extract<TurnBegin, { status: "in-progress" | "repeated" }>,
  ): void {
    if (begun.status === "in-progress") {
      this.#frames.sendError(sessionId, {
        code: "TURN_IN_PROGRESS",
        message: "The session is still answering a message. Wait for its end, or cancel it.",
        details: { turn_id: begun.turnId },
      });
      return;
    }
    const existing = this.#followed.find(sessionId);
    const view = existing ?? this.#followed.follow(sessionId, begun.seqBefore);
    if (existing === undefined && begun.running) view.follow(begun.seqBefore);
    else view.followTurn(begun);
  }

  #announced(): OwnSession {
    return { id: this.#context.newSessionId(), state: "announced" };
  }

  #find(sessionId: string, { store }: StoreUse): Promise<SessionSummary | undefined> {
    return findSession(store, sessionId, this.#client);
  }

  #isKnown(sessionId: string): boolean {
    if (sessionId === this.#own.id) return this.#own.state === "known";
    return this.#followed.find(sessionId) !== undefined;
  }

  /** Makes the session the connection's own, and says so. */
  #adopt(sessionId: string, { lastSeq }: { lastSeq: number }, resumed = true): void {
    const previous = this.#followed.find(this.#own.id);
    this.#own = { id: sessionId, state: "known" };
    this.#followed.follow(sessionId, lastSeq);
    if (previous !== undefined && previous.sessionId !== sessionId) this.onIdle(previous);
    this.#frames.sendConnected(sessionId, { resumed, seq: lastSeq });
  }

  /** The store, for one frame about this session. Throws a TurnError when the connection follows too many sessions. */
  #useStore(sessionId: string): StoreUse {
    const { limits, source } = this.#context;
    if (
      this.#followed.count >= limits().maxSessionsPerConnection &&
      this.#followed.find(sessionId) === undefined
    ) {
      throw new TurnError("RATE_LIMITED", "Too many sessions at a time on one connection.");
    }
    return source.useStore();
  }

  /** Acts with the store. The client is told when that fails, and nothing is thrown. */
  async #attempt(sessionId: string, act: (use: StoreUse) => Promise<void>): Promise<void> {
    let use: StoreUse | undefined;
    try {
      use = this.#useStore(sessionId);
      await act(use);
    } catch (error) {
      this.#frames.sendFailure(sessionId, error);
    } finally {
      use?.release();
    }
  }
}

function sessionNotFound(): ErrorBody {
  return { code: "SESSION_NOT_FOUND", message: "There is no such session, or it has expired." };
}
