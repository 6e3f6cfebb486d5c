/** Time, as the machinery sees it; passed in, so that a test of five minutes takes none. */
export interface Clock {
  /** Wall time in milliseconds since 1970: for timestamps only, since it may be set back or forth. */
  now(): number;
  /** Milliseconds on a clock that never jumps: for delays and deadlines. */
  monotonic(): number;
  /** Settles after `ms`; rejects with the signal's reason when that is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls back once after `ms`, unless cancelled before. */
  setTimer(ms: number, callback: () => void): { cancel(): void };
}
