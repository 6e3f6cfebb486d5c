/**
 * How a page proves that it was opened by the person at the terminal. The address that is opened has a code, because others on this
 * machine may read it, and browsers remember it: it counts once and for a short time. The page gets a key for it, which counts as long as the command
 * runs. The token of the cluster itself goes to no browser.
 */
import { hash } from "node:crypto";

/** So long a code counts. */
export const CODE_LIFE_MS = 5 * 60_000;
/** More codes and more keys than these do not count at one time; the oldest give way. */
export const MAX_SIGN_INS = 64;

export class SignIns {
  readonly #nowMs: () => number;
  readonly #newSecret: () => string;
  /** By the hash of a code, until when it counts. */
  readonly #codes = new Map<string, number>();
  /** Hashes, so that the time that a comparison takes says nothing. */
  readonly #keys = new Set<string>();

  /** `newSecret` gives a text that nobody can guess, made of letters, digits, `-` and `_`. */
  constructor({ nowMs, newSecret }: { nowMs: () => number; newSecret: () => string }) {
    this.#nowMs = nowMs;
    this.#newSecret = newSecret;
  }

  newCode(): string {
    const code = this.#newSecret();
    this.#codes.set(hashOf(code), this.#nowMs() + CODE_LIFE_MS);
    dropOldest(this.#codes);
    return code;
  }

  /** Gives a key for a code. `undefined`: the code does not count, or counts no longer. */
  redeem(code: string): string | undefined {
    const hashed = hashOf(code);
    const until = this.#codes.get(hashed);
    this.#codes.delete(hashed);
    if (until === undefined || until <= this.#nowMs()) return undefined;
    const key = this.#newSecret();
    this.#keys.add(hashOf(key));
    dropOldest(this.#keys);
    return key;
  }

  isKey(text: string): boolean {
    return this.#keys.has(hashOf(text));
  }
}

function dropOldest(entries: Map<string, unknown> | Set<string>): void {
  if (entries.size <= MAX_SIGN_INS) return;
  for (const oldest of entries.keys()) {
    entries.delete(oldest);
    return;
  }
}

function hashOf(text: string): string {
  return hash("sha256", text, "base64");
}
