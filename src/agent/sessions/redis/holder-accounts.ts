/**
 * What the sessions of each holder take in Redis. A turn does not wait for it, and most turns cause no command: what sessions
 * take is noted here, and written down for all sessions of a holder at once when that is much. So the sum is right but for
 * some megabytes of each holder and replica.
 */
import type { Log } from "../../../observability/log.ts";
import type { SessionShare } from "./script/session-share.ts";

/** What may be noted of one holder before it is written down: bytes that were added, … */
export const MAX_NOTED_BYTES = 1024 * 1024;
/** … sessions, … */
export const MAX_NOTED_SESSIONS = 128;
/** … and bytes of these sessions in all. */
const MAX_NOTED_TOTAL_BYTES = 64 * 1024 * 1024;
/** Sessions of all holders. When there are more, what was noted of those who were quiet for the longest time is forgotten. */
const MAX_NOTED_SESSIONS_IN_ALL = 20_000;

/** Undefined: the session is gone. */
export type NotedShare = Pick<SessionShare, "size" | "fence"> | undefined;

export interface HolderAccountsOptions {
  /** Writes down what sessions of one holder take; answers the ids of those that are to go. */
  readonly write: (
    holder: string,
    shares: ReadonlyMap<string, NotedShare>,
  ) => Promise<readonly string[]>;
  /** Answers false when the session stays. */
  readonly remove: (sessionId: string) => Promise<boolean>;
  readonly log: Log | undefined;
}

interface Noted {
  readonly shares: Map<string, NotedShare>;
  added: number;
  total: number;
}

export class HolderAccounts {
  readonly #options: HolderAccountsOptions;
  /** Those who were quiet for the longest time come first. */
  readonly #noted = new Map<string, Noted>();
  /** Sessions of all holders. */
  #count = 0;
  readonly #writing = new Set<string>();
  #isClosed = false;

  constructor(options: HolderAccountsOptions) {
    this.#options = options;
  }

  /** The session is in use; `added` bytes of its size are new. */
  note(sessionId: string, { holder, size, fence }: SessionShare, added: number): void {
    if (holder === "" || this.#isClosed) return;
    const noted = this.#noted.get(holder) ?? {
      shares: new Map<string, NotedShare>(),
      added: 0,
      total: 0,
    };
    this.#noted.delete(holder);
    this.#noted.set(holder, noted);
    noted.total += size - (noted.shares.get(sessionId)?.size ?? 0);
    noted.added += added;
    if (!noted.shares.has(sessionId)) this.#count += 1;
    noted.shares.set(sessionId, { size, fence });
    if (isMuch(noted)) void this.#write(holder);
    else this.#forgetQuiet();
  }

  /** The session was deleted. Settles when that is written down, or could not be. */
  async gone(sessionId: string, holder: string): Promise<void> {
    if (holder === "" || this.#isClosed) return;
    const noted = this.#noted.get(holder);
    if (noted?.shares.delete(sessionId) === true) this.#count -= 1;
    // Without it the session counts until its ttl is over.
    await this.#options.write(holder, new Map([[sessionId, undefined]])).catch(() => {});
  }

  close(): void {
    this.#isClosed = true;
    this.#noted.clear();
    this.#count = 0;
  }

  /** One writing of a holder at a time; what is much again by then follows. */
  async #write(holder: string): Promise<void> {
    if (this.#writing.has(holder)) return;
    this.#writing.add(holder);
    try {
      for (let noted = this.#take(holder); noted !== undefined; noted = this.#take(holder)) {
        await this.#removeAll(holder, await this.#options.write(holder, noted.shares));
      }
    } catch {
      // The store logs that it cannot be reached. What was not written down is, with the next turn of its session.
    } finally {
      this.#writing.delete(holder);
    }
  }

  #take(holder: string): Noted | undefined {
    const noted = this.#noted.get(holder);
    if (noted === undefined || !isMuch(noted)) return undefined;
    this.#forget(holder, noted);
    return noted;
  }

  async #removeAll(holder: string, sessionIds: readonly string[]): Promise<void> {
    const gone = new Map<string, NotedShare>();
    for (const sessionId of sessionIds) {
      if (this.#isClosed) return;
      // A session that stays is left as it is written down: its turn will end, and note it again.
      if (await this.#options.remove(sessionId)) gone.set(sessionId, undefined);
    }
    if (gone.size === 0) return;
    await this.#options.write(holder, gone);
    this.#options.log?.warn(
      { sessions: gone.size },
      "A client's sessions took more of the session store than one client may; the oldest were removed",
    );
  }

  #forgetQuiet(): void {
    for (const [holder, noted] of this.#noted) {
      if (this.#count <= MAX_NOTED_SESSIONS_IN_ALL) return;
      this.#forget(holder, noted);
    }
  }

  #forget(holder: string, { shares }: Noted): void {
    this.#noted.delete(holder);
    this.#count -= shares.size;
  }
}

function isMuch({ shares, added, total }: Noted): boolean {
  return (
    added >= MAX_NOTED_BYTES || shares.size >= MAX_NOTED_SESSIONS || total >= MAX_NOTED_TOTAL_BYTES
  );
}
