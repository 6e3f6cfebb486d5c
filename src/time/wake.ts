/** A flag that many raise and one waits for. Raising it several times while nobody waits counts once. */
export class Wake {
  #raised = false;
  #waiting: (() => void) | undefined;

  raise(): void {
    this.#raised = true;
    this.#waiting?.();
  }

  /** Settles when the flag is raised or was raised since the last wait, and takes it down. Also settles when `signal` aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    if (!this.#raised && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting = resolve;
      const onAbort = (): void => resolve();
      signal.addEventListener("abort", onAbort);
      await promise;
      signal.removeEventListener("abort", onAbort);
      this.#waiting = undefined;
    }
    this.#raised = false;
  }
}
