/** Sums up the errors of one agent for people: it gives the first one, and how many more there were. */
import type { Clock, Timer } from "../../time/clock.ts";

const WINDOW_MS = 10_000;
const MAX_SAID = 5;

export class ErrorSummary {
  readonly #clock: Clock;
  readonly #say: (line: string) => void;
  #window: Timer | undefined;
  #said = 0;
  #more = 0;

  constructor(clock: Clock, say: (line: string) => void) {
    this.#clock = clock;
    this.#say = say;
  }

  add(line: string): void {
    this.#window ??= this.#clock.setTimer(WINDOW_MS, () => this.close());
    if (this.#said < MAX_SAID) {
      this.#said += 1;
      this.#say(line);
    } else {
      this.#more += 1;
    }
  }

  /** Says what was not said yet. A new window begins with the next error. */
  close(): void {
    this.#window?.cancel();
    this.#window = undefined;
    if (this.#more > 0)
      this.#say(`and ${this.#more} more error${this.#more === 1 ? "" : "s"}, in its log`);
    this.#said = 0;
    this.#more = 0;
  }
}
