import type { Clock } from "./clock.ts";
import { Deadline } from "./deadline.ts";
import { untilAborted } from "./until-aborted.ts";

/** How long a question may take, however many wait for its answer. */
const QUESTION_MS = 10_000;

interface Kept<Answer> {
  readonly answer: Promise<Answer>;
  readonly at: number;
}

/**
 * Answers that count for a while. Those who ask the same at the same time wait for one answer. A question that fails is asked again
 * by the next one who asks. Past `max`, the oldest answer goes.
 */
export class ExpiringAnswers<Answer> {
  readonly #options: { readonly clock: Clock; readonly ageMs: number; readonly max: number };
  readonly #kept = new Map<string, Kept<Answer>>();

  constructor(options: { clock: Clock; ageMs: number; max: number }) {
    this.#options = options;
  }

  get size(): number {
    return this.#kept.size;
  }

  async get(
    key: string,
    signal: AbortSignal,
    ask: (signal: AbortSignal) => Promise<Answer>,
  ): Promise<Answer> {
    signal.throwIfAborted();
    const { clock, ageMs, max } = this.#options;
    const now = clock.monotonic();
    const known = this.#kept.get(key);
    if (known !== undefined && now - known.at < ageMs) {
      return await untilAborted(known.answer, signal);
    }
    this.#kept.delete(key);
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined && this.#kept.size >= max) this.#kept.delete(oldest);
    // One who asked and left must not spoil the answer for the others.
    const deadline = new Deadline({ ms: QUESTION_MS, clock });
    const answer = ask(deadline.signal).finally(() => deadline[Symbol.dispose]());
    const kept = { answer, at: now };
    this.#kept.set(key, kept);
    answer.catch(() => {
      if (this.#kept.get(key) === kept) this.#kept.delete(key);
    });
    return await untilAborted(answer, signal);
  }
}
