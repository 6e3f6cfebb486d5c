/** Time as the program sees it. It is passed in wherever time matters, so that a test of a minute takes no time. */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number;
  /** Milliseconds on a clock that never jumps. Only differences mean something. */
  monotonic(): number;
  /** Settles after `ms`, or rejects with the reason of `signal` when that aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls back once after `ms`, unless it is cancelled before. */
  setTimer(ms: number, callback: () => void): Timer;
}

export interface Timer {
  /** May be called again, and after the timer has fired. */
  cancel(): void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (ms, callback) => {
    const timeout = setTimeout(callback, ms);
    return { cancel: () => clearTimeout(timeout) };
  },
  sleep: (ms, signal) => sleepWith(systemClock, ms, signal),
};

/** `sleep` for a clock that has `setTimer`. */
export function sleepWith(
  clock: Pick<Clock, "setTimer">,
  ms: number,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const timer = clock.setTimer(ms, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    function onAbort(): void {
      timer.cancel();
      reject(signal?.reason as Error);
    }
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
