/** A flag that many raise and one waits for. Raised again while nobody waits, it counts once. */
export class Wake {
  #raised = false;
  #waiting: (() => void) | undefined;

  raise(): void {
    this.#raised = true;
    this.#waiting?.();
  }

  /** Settles when the flag is raised, or was since the last wait; takes it down. Settles also when `signal` aborts. */
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
