import type { HistoryMessage } from "../history-message.ts";
import { MAX_HISTORY_BYTES_PER_SESSION, MESSAGE_OVERHEAD_BYTES } from "../session-store.ts";
import { Rows } from "./rows.ts";

/** A message of any other kind than the first three is kept as JSON. */
type Kind = "user" | "assistant" | "partial" | "json";

export interface KeptMessage {
  readonly kind: Kind;
  readonly turnId: string;
  readonly text: string;
  /** What it takes, about. */
  readonly bytes: number;
}

/** What stands around the turn's id and the text of a message in its JSON. */
const PLAIN_BYTES = JSON.stringify({ role: "assistant", turnId: "", content: "" }).length;
/** What is forgotten beyond the need, as a part of the room. */
const FORGOTTEN_AT_ONCE = 1 / 16;

/**
 * The messages of a session, in memory. What is handed out is made anew, so it cannot be changed in here. Most messages are a text
 * and the id of their turn: to keep these two, which others keep too, and no object and no JSON, saves time at each message and
 * at each collection of garbage.
 */
export class KeptMessages {
  /** Of each message its kind, the id of its turn and its text, which is the whole message where it is kept as JSON. */
  readonly #rows = new Rows<string>(3, "");
  #bytes = 0;

  get length(): number {
    return this.#rows.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add({ kind, turnId, text, bytes }: KeptMessage): void {
    this.#rows.end().push(kind, turnId, text);
    this.#bytes += bytes;
  }

  /** Takes so many messages off the end. */
  removeLast(count: number): void {
    for (let left = Math.min(count, this.length); left > 0; left--) {
      this.#bytes -= this.#bytesAt(this.length - 1);
      this.#rows.dropLast();
    }
  }

  /** Forgets the oldest turns of which there is no room; the last `newest` messages are those of the turn that has ended. */
  forgetOldTurns(newest: number): void {
    if (this.#bytes <= MAX_HISTORY_BYTES_PER_SESSION) return;
    const room = MAX_HISTORY_BYTES_PER_SESSION * (1 - FORGOTTEN_AT_ONCE);
    while (this.length > newest) {
      // The user's message is the first one of its turn.
      if (this.#rows.at(0, 0) === "user" && this.#bytes <= room) return;
      this.#bytes -= this.#bytesAt(0);
      this.#rows.dropFirst();
    }
  }

  toArray(): HistoryMessage[] {
    return Array.from({ length: this.length }, (_, index) => this.#at(index));
  }

  #at(row: number): HistoryMessage {
    const turnId = this.#rows.at(row, 1);
    const content = this.#rows.at(row, 2);
    switch (this.#rows.at(row, 0) as Kind) {
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

  #bytesAt(row: number): number {
    const [kind, turnId, text] = [0, 1, 2].map((column) => this.#rows.at(row, column));
    return bytesOfParts(kind as Kind, turnId ?? "", text ?? "");
  }
}

/** The message as it is kept. */
export function keptMessage(message: HistoryMessage): KeptMessage {
  const { turnId } = message;
  const kind = kindOf(message);
  const text = kind === "json" ? JSON.stringify(message) : contentOf(message);
  return { kind, turnId, text, bytes: bytesOfParts(kind, turnId, text) };
}

/** What a text of as many bytes takes that is kept by itself. */
export function bytesOfText(text: string): number {
  return Buffer.byteLength(text) + MESSAGE_OVERHEAD_BYTES;
}

function bytesOfParts(kind: Kind, turnId: string, text: string): number {
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
