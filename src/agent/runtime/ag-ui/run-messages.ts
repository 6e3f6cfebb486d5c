/**
 * Tells the messages of one run apart. Adapters leave out ids and roles: a piece without an id belongs to the message that was
 * begun last, and a role is said once.
 */
import { MAX_RUNTIME_MESSAGES } from "../../contracts/limits.ts";

export interface MessagePiece {
  readonly messageId?: string | undefined;
  readonly role?: string | undefined;
  readonly delta?: string | null | undefined;
}

export interface RunMessage {
  id: string | undefined;
  /** Whether it is what somebody else said than the model. */
  isForeign: boolean;
}

export class RunMessages {
  #current: RunMessage | undefined;
  #lastSaid: RunMessage | undefined;
  readonly #foreign = new Set<string>();

  begin({ messageId, role }: MessagePiece): void {
    this.#current = this.#newMessage(messageId, role);
  }

  end(): void {
    this.#current = undefined;
  }

  /** The message that a piece belongs to. */
  of({ messageId: id, role }: MessagePiece): RunMessage {
    const current = this.#current;
    if (current === undefined || !this.#isOf(current, id, role)) {
      return (this.#current = this.#newMessage(id, role));
    }
    current.id ??= id;
    return current;
  }

  /** Notes that there is text of this message. Answers whether it follows the text of another one. */
  said(message: RunMessage): boolean {
    const last = this.#lastSaid;
    this.#lastSaid = message;
    const isSame = last === message || (last?.id !== undefined && last.id === message.id);
    return last !== undefined && !isSame;
  }

  #isOf(current: RunMessage, id: string | undefined, role: string | undefined): boolean {
    if (role !== undefined && isForeign(role) !== current.isForeign) return false;
    if (id === undefined || id === current.id) return true;
    // Its beginning had no id.
    return current.id === undefined && current !== this.#lastSaid;
  }

  #newMessage(id: string | undefined, role: string | undefined): RunMessage {
    if (id === undefined) return { id, isForeign: isForeign(role) };
    if (isForeign(role)) this.#foreign.add(id);
    const [first] = this.#foreign;
    if (this.#foreign.size > MAX_RUNTIME_MESSAGES && first !== undefined) {
      this.#foreign.delete(first);
    }
    return { id, isForeign: this.#foreign.has(id) };
  }
}

function isForeign(role: string | undefined): boolean {
  return role !== undefined && role !== "assistant";
}
