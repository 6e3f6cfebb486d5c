/** A store that the contract is held against. */
import type { SessionStore } from "../session-store.ts";

export interface ContractSubject {
  store: SessionStore;
  /** Another store on the same sessions, as another replica has it; the same one where sessions are not shared. */
  other: SessionStore;
  /** Lets time pass for a session in the eyes of its store. */
  passTime(sessionId: string, ms: number): Promise<void>;
  /** Lets a few milliseconds pass, in which nothing expires: what happens after them is later than what happened before. */
  pause(): Promise<void>;
  dispose(): Promise<void>;
}

export type OpenSubject = (options: {
  ttlMs: number;
  leaseMs?: number | undefined;
}) => Promise<ContractSubject>;

/** The ttl of the sessions of the contract: far longer than a test takes. */
export const TTL_MS = 60 * 60_000;
