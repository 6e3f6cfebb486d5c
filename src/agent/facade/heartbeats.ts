import type { Clock, Timer } from "../../time/clock.ts";
import { PING_INTERVAL_MS, PING_TOGETHER_MS, PONG_TIMEOUT_MS } from "../contracts/limits.ts";

/** A connection that is pinged. Heartbeats sets its two times, in whole milliseconds of the monotonic clock. */
export interface Pinged {
  /** When the client last answered. */
  heardAt: number;
  nextPingAt: number;
  /** Whether nothing is read from the client for now. Then its pongs are not read either. */
  readonly isPaused: boolean;
  ping(): void;
  /** The client has not answered for too long. */
  onSilent(): void;
}

/**
 * Pings every client at an interval, and reports those that have not answered for too long. The interval is the same for all,
 * so the client that was pinged last is due last, and one timer is enough for all of them.
 */
export class Heartbeats {
  readonly #clock: Clock;
  /** Ordered by when their next ping is due. */
  readonly #pinged = new Set<Pinged>();
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(pinged: Pinged): void {
    const now = this.#now();
    pinged.heardAt = now;
    pinged.nextPingAt = now + PING_INTERVAL_MS;
    this.#pinged.add(pinged);
    this.#timer ??= this.#clock.setTimer(PING_INTERVAL_MS, this.#beat);
  }

  delete(pinged: Pinged): void {
    this.#pinged.delete(pinged);
    if (this.#pinged.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** The client has answered. */
  heard(pinged: Pinged): void {
    pinged.heardAt = this.#now();
  }

  readonly #beat = (): void => {
    const now = this.#now();
    this.#timer = undefined;
    for (const pinged of this.#pinged) {
      if (pinged.nextPingAt > now + PING_TOGETHER_MS) {
        this.#timer = this.#clock.setTimer(pinged.nextPingAt - now, this.#beat);
        return;
      }
      this.#pinged.delete(pinged);
      if (pinged.isPaused) pinged.heardAt = now;
      if (now - pinged.heardAt >= PONG_TIMEOUT_MS) {
        pinged.onSilent();
        continue;
      }
      pinged.ping();
      pinged.nextPingAt = now + PING_INTERVAL_MS;
      this.#pinged.add(pinged);
    }
  };

  #now(): number {
    return Math.floor(this.#clock.monotonic());
  }
}
