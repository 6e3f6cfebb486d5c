import type { HistoryMessage } from "../history-message.ts";
import { MAX_HISTORY_BYTES_PER_SESSION, MESSAGE_OVERHEAD_BYTES } from "../session-store.ts";

/** A message of any other kind than the first three is kept as JSON. */
type Kind = "user" | "assistant" | "partial" | "json";

const CELLS = 3;
/** What stands around the turn's id and the text of a message in its JSON. */
const PLAIN_BYTES = JSON.stringify({ role: "assistant", turnId: "", content: "" }).length;
/** What is forgotten beyond the need, as a part of the room: the whole list is moved each time, and that is not to be at each turn. */
const FORGOTTEN_AT_ONCE = 1 / 16;

/**
 * The messages of a session, in memory. What is handed out is made anew, so it cannot be changed in here. Most messages are a text
 * and the id of their turn: to keep these two, which others keep too, and no object and no JSON, saves time at each message and
 * at each collection of garbage.
 */
export class KeptMessages {
  /** Of each message its kind, the id of its turn and its text, which is the whole message where it is kept as JSON. */
  readonly #cells: string[] = [];
  #bytes = 0;

  get length(): number {
    return this.#cells.length / CELLS;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(message: HistoryMessage): void {
    const kind = kindOf(message);
    const text = kind === "json" ? JSON.stringify(message) : contentOf(message);
    this.#cells.push(kind, message.turnId, text);
    this.#bytes += bytesOfCells(kind, message.turnId, text);
  }

  /** Takes so many messages off the end. */
  removeLast(count: number): void {
    for (let left = count; left > 0 && this.#cells.length > 0; left--) {
      this.#bytes -= this.#bytesAt(this.#cells.length - CELLS);
      this.#cells.length -= CELLS;
    }
  }

  /** Forgets the oldest turns of which there is no room; the last `newest` messages are those of the turn that has ended. */
  forgetOldTurns(newest: number): void {
    if (this.#bytes <= MAX_HISTORY_BYTES_PER_SESSION) return;
    const room = MAX_HISTORY_BYTES_PER_SESSION * (1 - FORGOTTEN_AT_ONCE);
    let at = 0;
    for (; at < this.#cells.length - newest * CELLS; at += CELLS) {
      // The user's message is the first one of its turn.
      if (this.#cells[at] === "user" && this.#bytes <= room) break;
      this.#bytes -= this.#bytesAt(at);
    }
    this.#cells.splice(0, at);
  }

  toArray(): HistoryMessage[] {
    return Array.from({ length: this.length }, (_, index) => this.#at(index * CELLS));
  }

  #at(at: number): HistoryMessage {
    const [kind, turnId = "", content = ""] = this.#cells.slice(at, at + CELLS);
    switch (kind as Kind) {
      case "user":
        return { role: "user", turnId, content };
      case "assistant":
        return { role: "assistant", turnId, content };
      case "partial":
        return { role: "assistant", turnId, content, partial: true };
      case "json":
        return JSON.parse(content) as HistoryMessage;
    }
  }

  #bytesAt(at: number): number {
    const [kind, turnId = "", text = ""] = this.#cells.slice(at, at + CELLS);
    return bytesOfCells(kind as Kind, turnId, text);
  }
}

/** What the message takes, about. */
export function bytesOfMessage(message: HistoryMessage): number {
  const kind = kindOf(message);
  const text = kind === "json" ? JSON.stringify(message) : contentOf(message);
  return bytesOfCells(kind, message.turnId, text);
}

/** What a text of as many bytes takes that is kept by itself. */
export function bytesOfText(text: string): number {
  return Buffer.byteLength(text) + MESSAGE_OVERHEAD_BYTES;
}

function bytesOfCells(kind: Kind, turnId: string, text: string): number {
  return bytesOfText(text) + (kind === "json" ? 0 : PLAIN_BYTES + turnId.length);
}

function kindOf(message: HistoryMessage): Kind {
  if (message.role === "user") return "user";
  if (message.role === "tool") return "json";
  const { toolCalls, providerMetadata, isMessageRefused, workflow, partial } = message;
  const more = toolCalls ?? providerMetadata ?? isMessageRefused ?? workflow;
  if (more !== undefined || partial === false) return "json";
  return partial === true ? "partial" : "assistant";
}

function contentOf(message: HistoryMessage): string {
  return message.role === "tool" ? "" : message.content;
}
