/**
 * What each holder's sessions take of a store, and which of them make way when there is no room. A holder who takes more than
 * a fair share makes way first, and of the holder's sessions the big ones do: so nobody loses anything to a client that
 * sends much, and a holder that stands for many clients, as a proxy's address does, keeps their usual sessions.
 */
import { BIG_SESSION_BYTES } from "../session-store.ts";

export interface Shared {
  readonly holder: string;
  /** What the session counts; `HolderShares` sets it. */
  countedBytes: number;
}

/** One of both sets is there for as long as the holder is: most holders have one session. */
interface Share<Session> {
  bytes: number;
  /** The least recently touched comes first in both. */
  small: Set<Session> | undefined;
  big: Set<Session> | undefined;
  /** The session that came into its set last, or was touched since: it keeps its place when it is touched again. */
  newest: Session | undefined;
}

export class HolderShares<Session extends Shared> {
  readonly #shares = new Map<string, Share<Session>>();
  /** Those of more than the fair share; so they are few. */
  readonly #large = new Set<Share<Session>>();
  readonly #fairBytes: number;
  #bytes = 0;

  constructor(fairBytes: number) {
    this.#fairBytes = fairBytes;
  }

  /** Of all sessions. */
  get bytes(): number {
    return this.#bytes;
  }

  bytesOf(holder: string): number {
    return this.#shares.get(holder)?.bytes ?? 0;
  }

  /** The session takes so much from now on. */
  count(session: Session, bytes: number): void {
    const share = this.#shareOf(session.holder);
    const before = sizeOf(session);
    this.#add(share, bytes - session.countedBytes);
    session.countedBytes = bytes;
    const size = sizeOf(session);
    if (size !== before) share[before]?.delete(session);
    const sessions = (share[size] ??= new Set());
    if (sessions.has(session)) return;
    sessions.add(session);
    share.newest = session;
  }

  /** The session, which was counted, is in use. */
  touch(session: Session): void {
    const share = this.#shares.get(session.holder);
    if (share === undefined || session === share.newest) return;
    const sessions = share[sizeOf(session)];
    if (sessions?.delete(session) !== true) return;
    sessions.add(session);
    share.newest = session;
  }

  remove(session: Session): void {
    const share = this.#shares.get(session.holder);
    if (share === undefined) return;
    share.small?.delete(session);
    share.big?.delete(session);
    if (session === share.newest) share.newest = undefined;
    this.#add(share, -session.countedBytes);
    session.countedBytes = 0;
    if ((share.small?.size ?? 0) + (share.big?.size ?? 0) > 0) return;
    this.#shares.delete(session.holder);
    this.#large.delete(share);
  }

  /** The sessions of a holder, in the order in which they make way. */
  *of(holder: string): Generator<Session> {
    const share = this.#shares.get(holder);
    if (share !== undefined) yield* inOrder(share);
  }

  /** The sessions of all holders who take more than their share, in the order in which they make way. */
  *ofLargeHolders(): Generator<Session> {
    for (const share of [...this.#large].toSorted((a, b) => b.bytes - a.bytes))
      yield* inOrder(share);
  }

  #shareOf(holder: string): Share<Session> {
    const existing = this.#shares.get(holder);
    if (existing !== undefined) return existing;
    const share = { bytes: 0, small: undefined, big: undefined, newest: undefined };
    this.#shares.set(holder, share);
    return share;
  }

  #add(share: Share<Session>, bytes: number): void {
    this.#bytes += bytes;
    share.bytes += bytes;
    if (share.bytes > this.#fairBytes) this.#large.add(share);
    else if (this.#large.size > 0) this.#large.delete(share);
  }
}

function sizeOf({ countedBytes }: Shared): "small" | "big" {
  return countedBytes > BIG_SESSION_BYTES ? "big" : "small";
}

function* inOrder<Session>({ big, small }: Share<Session>): Generator<Session> {
  if (big !== undefined) yield* big;
  if (small !== undefined) yield* small;
}
