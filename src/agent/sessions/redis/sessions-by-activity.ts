/**
 * The sessions of one agent in Redis by their last activity: a sorted set of session ids by that time. It is another slot than
 * theirs, so it is written apart from them, for many sessions at once and a little later: a turn does not wait for it, and most
 * turns cause no command. What is lost of it comes back as sessions are used.
 */
import { compareSessions, type SessionPosition } from "../../../http-api/session-pages.ts";
import type { Clock, Timer } from "../../../time/clock.ts";
import { CorruptSessionError } from "../session-store.ts";
import { asArray, asNumber, asText } from "./script/reply.ts";
import type { RedisLink } from "./server-link.ts";

/** How long it takes until a session is in the index, about, */
const WRITE_AFTER_MS = 50;
/** and until it is known there that it was used again. */
const REFRESH_AFTER_MS = 5_000;
/** Sessions stay in the index this much longer than they live, because it hears late of their activity. */
const SLACK_MS = 60_000;
/** Sessions that one command writes. */
const MAX_SESSIONS_PER_WRITE = 500;
/** Sessions that are noted here. When there are more, which is when Redis does not answer, the oldest are forgotten. */
const MAX_NOTED_SESSIONS = 10_000;

export interface SessionsByActivityOptions {
  readonly link: RedisLink;
  readonly key: string;
  readonly clock: Clock;
  readonly ttlMs: () => number;
}

export class SessionsByActivity {
  readonly #options: SessionsByActivityOptions;
  /** By session id: the time of its activity. */
  #noted = new Map<string, number>();
  /** Those that were written a short while ago. What is noted of them waits until that is over. */
  #recent = new Set<string>();
  #soon: Timer | undefined;
  #later: Timer | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: SessionsByActivityOptions) {
    this.#options = options;
  }

  /** The session was active just now. */
  note(sessionId: string): void {
    if (this.#isClosed) return;
    const { clock } = this.#options;
    this.#noted.set(sessionId, clock.now());
    if (this.#noted.size > MAX_NOTED_SESSIONS) this.forget(this.#noted.keys().next().value ?? "");
    if (this.#recent.has(sessionId)) return;
    this.#soon ??= clock.setTimer(WRITE_AFTER_MS, () => void this.write());
  }

  /** What was noted of the session is not written any more. */
  forget(sessionId: string): void {
    this.#noted.delete(sessionId);
  }

  /** Writes what was noted. Never rejects: the next activity of the sessions is noted again. */
  write(): Promise<void> {
    this.#soon?.cancel();
    this.#soon = undefined;
    return (this.#writing = this.#writing.then(() => this.#write()));
  }

  /** The sessions that follow a place in the list, newest first; as many as are asked for, unless the list ends before. */
  async following(after: SessionPosition | undefined, count: number): Promise<SessionPosition[]> {
    const from = after === undefined ? "+inf" : String(after.lastActiveAt);
    const found: SessionPosition[] = [];
    for (let offset = 0; found.length < count; offset += count) {
      const page = await this.#read(from, offset, count);
      for (const position of page) {
        if (after === undefined || compareSessions(position, after) > 0) found.push(position);
      }
      if (page.length < count) break;
    }
    return found.slice(0, count);
  }

  async remove(sessionIds: readonly string[]): Promise<void> {
    if (sessionIds.length === 0) return;
    for (const sessionId of sessionIds) this.forget(sessionId);
    await this.#options.link.execute(["ZREM", this.#options.key, ...sessionIds]);
  }

  /** In milliseconds since 1970. Undefined when the index does not have the session. */
  async lastActiveAt(sessionId: string): Promise<number | undefined> {
    const { link, key } = this.#options;
    const score = await link.execute(["ZSCORE", key, sessionId]).catch(unlessGarbage);
    return typeof score === "string" ? Math.trunc(Number(score)) : undefined;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.write();
    this.#later?.cancel();
  }

  async #read(from: string, offset: number, count: number): Promise<SessionPosition[]> {
    const { link, key } = this.#options;
    const command = ["ZREVRANGEBYSCORE", key, from, "-inf", "WITHSCORES"];
    const reply = await link
      .execute([...command, "LIMIT", String(offset), String(count)])
      .catch(unlessGarbage);
    const texts = asArray(reply ?? []).map(asText);
    const positions: SessionPosition[] = [];
    for (let at = 0; at + 1 < texts.length; at += 2) {
      const lastActiveAt = asNumber(texts[at + 1]);
      positions.push({ id: texts[at] as string, lastActiveAt });
    }
    return positions;
  }

  async #write(): Promise<void> {
    if (this.#noted.size === 0) return;
    const noted = [...this.#noted];
    this.#noted = new Map();
    for (let at = 0; at < noted.length; at += MAX_SESSIONS_PER_WRITE) {
      const part = noted.slice(at, at + MAX_SESSIONS_PER_WRITE);
      const entries = part.flatMap(([sessionId, time]) => [String(time), sessionId]);
      try {
        await this.#add(entries);
        this.#remember(part);
      } catch {
        // The store logs that it cannot be reached.
      }
    }
  }

  #remember(written: readonly (readonly [string, number])[]): void {
    if (this.#isClosed) return;
    if (this.#recent.size < MAX_NOTED_SESSIONS) for (const [id] of written) this.#recent.add(id);
    this.#later ??= this.#options.clock.setTimer(REFRESH_AFTER_MS, () => {
      this.#later = undefined;
      this.#recent = new Set();
      void this.write();
    });
  }

  /** Replaces a key that holds something else. */
  async #add(entries: readonly string[]): Promise<void> {
    const { link, key, clock, ttlMs } = this.#options;
    const add = ["ZADD", key, "GT", ...entries];
    const keptMs = ttlMs() + SLACK_MS;
    await Promise.all([
      link.execute(add).catch(async (error: unknown) => {
        unlessGarbage(error);
        await link.execute(["UNLINK", key]);
        await link.execute(add);
      }),
      link
        .execute(["ZREMRANGEBYSCORE", key, "-inf", String(clock.now() - keptMs)])
        .catch(unlessGarbage),
      link.execute(["PEXPIRE", key, String(keptMs)]),
    ]);
  }
}

/** A key that holds something else has no sessions. */
function unlessGarbage(error: unknown): undefined {
  if (!(error instanceof CorruptSessionError)) throw error;
}
