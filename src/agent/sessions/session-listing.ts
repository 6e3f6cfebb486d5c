/**
 * What those who look after an agent are told of its sessions. Who may ask is decided above the store. Nothing here counts as
 * activity: no session lives longer because somebody has looked at it.
 */
import type { SESSION_STATES } from "../../http-api/session-views.ts";
import type { Cost } from "../../protocol/frames.ts";
import type { HistoryMessage } from "./history-message.ts";
import type { SessionClient } from "./session-client.ts";
import type { TurnRecord } from "./turn-record.ts";

/** The most sessions of one page. */
export const MAX_SESSIONS_PER_PAGE = 200;

export type SessionState = (typeof SESSION_STATES)[number];

/** One session in a list. Times are in milliseconds since 1970. */
export interface ListedSession {
  readonly id: string;
  readonly owner: string;
  /** The first 80 characters of its first message; empty before there is one. */
  readonly title: string;
  /** For a session that an earlier version began: when this version first ran a turn in it, as far as that is known. */
  readonly createdAt: number;
  /** About, in a store that replicas share. */
  readonly lastActiveAt: number;
  /** When it ends unless something happens in it before. */
  readonly expiresAt: number;
  /** The turns that have ended, the calls of tools in them, and the tokens that they used. */
  readonly turns: number;
  readonly toolCalls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Of the turns whose prices were known. */
  readonly cost?: Cost | undefined;
  readonly state: SessionState;
  /** The version of the prompt pack that it has. */
  readonly packVersion?: string | undefined;
  /** The state of the pack's workflow that it is in. */
  readonly workflowState?: string | undefined;
}

export interface SessionQuery {
  /** `next` of the page before. Rejects with InvalidCursorError when it is no cursor. */
  readonly after?: string | undefined;
  /** From 1 to MAX_SESSIONS_PER_PAGE; more is taken for that. */
  readonly limit: number;
  readonly owner?: string | undefined;
  readonly state?: SessionState | undefined;
  readonly version?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SessionPage {
  /** Newest activity first. With a filter they may be fewer than the limit although more follow. */
  readonly sessions: readonly ListedSession[];
  /** The cursor of what follows. Without it the list ends here. */
  readonly next?: string | undefined;
  /** The ids of sessions that could not be read, and were left out. */
  readonly unreadable: readonly string[];
}

/** All that is kept of one session. */
export interface SessionTimeline {
  readonly session: ListedSession;
  /** Whole turns, oldest first. Of a turn that runs they have the user's message only. */
  readonly messages: readonly HistoryMessage[];
  /** Those of the newest turns, oldest first. A turn that has not ended is the last one, and has no `endedAt`. */
  readonly turns: readonly TurnRecord[];
  /** The `seq` of its last frame. */
  readonly lastSeq: number;
  /** Frames with a `seq` above this one are kept for clients that resume. */
  readonly keptAfter: number;
  /** Names what could not be read, and was left out. */
  readonly unreadable: readonly string[];
}

export interface NewFork {
  readonly newSessionId: string;
  readonly client: SessionClient;
  /** The new session has what was said up to the end of this turn. Without it, all. */
  readonly afterTurn?: string | undefined;
}

export type ForkOutcome =
  | { readonly status: "forked" }
  | { readonly status: "unknown-session" }
  /** The session has no such turn, or has forgotten what was said in it. */
  | { readonly status: "unknown-turn" }
  /** The turn has not ended. */
  | { readonly status: "turn-running"; readonly turnId: string };

/** A cursor of a list is none. */
export class InvalidCursorError extends Error {
  override readonly name = "InvalidCursorError";
}
