import type { Clock, Timer } from "../../time/clock.ts";
import { PING_INTERVAL_MS, PING_TOGETHER_MS, PONG_TIMEOUT_MS } from "../contracts/limits.ts";

/** One that is pinged, and what is known of it; the fields are kept by Heartbeats. */
export interface Pinged {
  /** On the monotonic clock, in whole milliseconds. */
  heardAt: number;
  nextPingAt: number;
  /** While nothing is read from the client its pongs cannot be heard either. */
  readonly isPaused: boolean;
  ping(): void;
  /** It has not answered for too long. */
  onSilent(): void;
}

/**
 * Pings every client in its time, and ends the connections of those that have not answered for too long. All of them are
 * pinged at the same interval, so those that were pinged last are due last, and one timer does for all.
 */
export class Heartbeats {
  readonly #clock: Clock;
  /** In the order in which they are due. */
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

  /** It has answered. */
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
