/**
 * The session store that is in use. When the config names another, new work goes there, while what runs ends on the
 * store it began with; that one is closed when its last user is done.
 */
import { StoreUnavailableError, type SessionStore } from "./session-store.ts";

/** A store for as long as something is done with it. */
export interface StoreUse {
  readonly store: SessionStore;
  /** Keeps the store open past `release`, until what it answers is called. */
  share(): () => void;
  release(): void;
}

class HeldStore implements StoreUse {
  readonly store: SessionStore;
  readonly #onUnused: (store: SessionStore) => void;
  // The one user that counts from the start is being in use as the current store.
  #users = 1;

  constructor(store: SessionStore, onUnused: (store: SessionStore) => void) {
    this.store = store;
    this.#onUnused = onUnused;
  }

  acquire(): this {
    this.#users++;
    return this;
  }

  share(): () => void {
    this.#users++;
    return () => this.release();
  }

  release(): void {
    if (--this.#users === 0) this.#onUnused(this.store);
  }
}

export class CurrentStore {
  #held: HeldStore | undefined;
  readonly #closing = new Set<Promise<void>>();
  readonly #onCloseError: (error: unknown) => void;

  constructor(onCloseError: (error: unknown) => void) {
    this.#onCloseError = onCloseError;
  }

  /** The store as it is now; call `release` when done. Throws StoreUnavailableError when none could be opened yet. */
  use(): StoreUse {
    if (this.#held === undefined) throw new StoreUnavailableError("no session store is open");
    return this.#held.acquire();
  }

  peek(): SessionStore | undefined {
    return this.#held?.store;
  }

  replace(store: SessionStore | undefined): void {
    const previous = this.#held;
    this.#held =
      store === undefined ? undefined : new HeldStore(store, (unused) => this.#close(unused));
    previous?.release();
  }

  /** Closes the store; settles when every store that was ever in use is closed. */
  async close(): Promise<void> {
    this.replace(undefined);
    await Promise.all(this.#closing);
  }

  #close(store: SessionStore): void {
    const closing: Promise<void> = store
      .close()
      .catch(this.#onCloseError)
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}
