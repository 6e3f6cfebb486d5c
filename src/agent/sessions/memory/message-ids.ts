/** Which message ids a session has seen, so that a message that is sent again does not begin a turn again. */
import { MAX_REMEMBERED_TURNS } from "../session-store.ts";

export interface SeenMessage {
  /** The fence of the turn that the message began. */
  readonly fence: number;
  readonly turnId: string;
  readonly seqBefore: number;
}

export class MessageIds {
  /** The oldest turn comes first. There is no map while there is no id: many sessions never have one. */
  #seen: Map<string, SeenMessage> | undefined;
  #bytes = 0;

  /** What the ids take in memory. */
  get bytes(): number {
    return this.#bytes;
  }

  find(messageId: string): SeenMessage | undefined {
    return this.#seen?.get(messageId);
  }

  /** A turn has begun: ids of turns that began too long ago are forgotten, whether the message of this one has an id or not. */
  add(messageId: string | undefined, message: SeenMessage): void {
    if (this.#seen !== undefined) this.#forgetOld(this.#seen, message.fence);
    if (messageId === undefined) return;
    (this.#seen ??= new Map()).set(messageId, message);
    this.#bytes += messageId.length;
  }

  #forgetOld(seen: ReadonlyMap<string, SeenMessage>, newest: number): void {
    for (const [id, { fence }] of seen) {
      if (fence > newest - MAX_REMEMBERED_TURNS) break;
      this.delete(id);
    }
  }

  delete(messageId: string): void {
    if (this.#seen?.delete(messageId) === true) this.#bytes -= messageId.length;
  }
}
