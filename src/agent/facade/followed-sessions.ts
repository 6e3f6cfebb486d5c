import type { SessionFeeds } from "../turns/session-feeds.ts";
import { SessionView, type ViewContext } from "./session-view.ts";

/** Shared by all connections that follow no session: most connections are idle. */
const NO_VIEWS = new Map<string, SessionView>();

/** The sessions that one connection follows, each with its view. All of them were found to be the client's own. */
export class FollowedSessions {
  readonly #feeds: SessionFeeds;
  readonly #viewContext: ViewContext;
  #views = NO_VIEWS;
  #isClosed = false;

  constructor(feeds: SessionFeeds, viewContext: ViewContext) {
    this.#feeds = feeds;
    this.#viewContext = viewContext;
  }

  get count(): number {
    return this.#views.size;
  }

  /** Whether the client still awaits frames of a turn. */
  get isBusy(): boolean {
    if (this.#views.size === 0) return false;
    for (const view of this.#views.values()) if (view.isAwaited) return true;
    return false;
  }

  find(sessionId: string): SessionView | undefined {
    return this.#views.get(sessionId);
  }

  /** The view of the session. A new one begins behind the frame `seq`, as if the client had all frames up to it. */
  follow(sessionId: string, seq: number): SessionView {
    const existing = this.#views.get(sessionId);
    if (existing !== undefined) return existing;
    const view = new SessionView(sessionId, seq, this.#viewContext);
    // A message that was on its way when its client left still gets its turn, but nobody follows it.
    if (this.#isClosed) return view;
    if (this.#views === NO_VIEWS) this.#views = new Map();
    this.#views.set(sessionId, view);
    this.#feeds.follow(sessionId, view);
    return view;
  }

  unfollow(sessionId: string): void {
    const view = this.#views.get(sessionId);
    if (view === undefined) return;
    view.close();
    this.#views.delete(sessionId);
    this.#feeds.unfollow(sessionId, view);
  }

  /** From now on no session is followed. */
  close(): void {
    this.#isClosed = true;
    for (const sessionId of this.#views.keys()) this.unfollow(sessionId);
  }
}
