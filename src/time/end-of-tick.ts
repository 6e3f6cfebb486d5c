/**
 * Settles when all is done that follows from the present event without a wait: so that what comes at once is handled at once. No
 * other event is handled in between, so this delays nothing.
 */
export function endOfTick(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}

/** Calls back when `endOfTick` would settle, for what happens so often that a promise for each counts. */
export function atEndOfTick(callback: () => void): void {
  process.nextTick(callback);
}
