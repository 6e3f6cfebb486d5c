import type { SessionOwner } from "../sessions/session-client.ts";
import type { CurrentStore, StoreUse } from "../sessions/current-store.ts";
import type { TurnRunner } from "../turns/turn-runner.ts";

/** What the views of sessions read: the turns of this replica, and the session store. A replica has one for all its views. */
export class SessionSource {
  readonly #runner: TurnRunner;
  readonly #stores: CurrentStore;

  constructor(runner: TurnRunner, stores: CurrentStore) {
    this.#runner = runner;
    this.#stores = stores;
  }

  /** The `seq` of the frame that was pushed last. Undefined when this replica runs no turn of the session. */
  publishedSeq(sessionId: string): number | undefined {
    return this.#runner.running(sessionId)?.publishedSeq;
  }

  /** The store stays open until `release` is called. Throws StoreUnavailableError when there is none. */
  useStore(): StoreUse {
    return this.#stores.use();
  }

  /** Whether the session is there for its owner. It counts as activity. */
  async has(sessionId: string, { owner }: SessionOwner): Promise<boolean> {
    const use = this.useStore();
    try {
      return (await use.store.find(sessionId, owner)) !== undefined;
    } finally {
      use.release();
    }
  }

  /**
   * Looks after a turn of which nothing more comes, since its replica may be gone. Answers whether the turn runs, as far as
   * is known. Rejects as `TurnRunner.recover` does.
   */
  async recover(sessionId: string, owner: SessionOwner): Promise<"running" | "ended"> {
    const use = this.useStore();
    try {
      return await this.#runner.recover(sessionId, owner, use);
    } finally {
      use.release();
    }
  }
}
