/** Brings the events of one answer to the provider's package, or past it, with as few of them as say the same. */
import { isFields, type Fields } from "./json-fields.ts";
import type { StreamMender } from "./stream-mender.ts";
import type { TextBypass, TextPiece } from "./text-bypass.ts";

/** An event of the provider's form, or the text of one that is no JSON. */
export type CleanEvent = Fields | string;

export interface TakenEvents {
  readonly given: CleanEvent[];
  readonly room: Promise<void> | undefined;
}

export class TextPieces {
  readonly #mender: Pick<StreamMender, "pieceIn">;
  readonly #bypass: TextBypass | undefined;
  /** The text that the last event went on with. */
  #block: unknown;
  /** What stood beside the pieces that went past the package. */
  #beside: Fields | undefined;

  constructor(mender: Pick<StreamMender, "pieceIn">, bypass: TextBypass | undefined) {
    this.#mender = mender;
    this.#bypass = bypass;
  }

  /**
   * Answers the events for the package out of those that have come at once, and what to wait for before more is read, if text
   * went past it. `isLast`: no more events come.
   */
  take(events: readonly CleanEvent[], isLast: boolean): TakenEvents {
    const joined = this.#join(events);
    const bypass = this.#bypass;
    const [first] = joined;
    const piece = this.#pieceIn(first);
    let room: Promise<void> | undefined;
    if (piece !== undefined && piece.block === this.#block && bypass?.isOpen === true) {
      joined.shift();
      this.#beside = piece.beside ?? this.#beside;
      room = bypass.say(piece.holder[piece.field] as string);
    }
    if (this.#beside !== undefined && (joined.length > 0 || isLast)) {
      joined.unshift(this.#beside);
      this.#beside = undefined;
    }
    if (joined.length > 0) {
      const last = this.#pieceIn(joined.at(-1));
      this.#block = last?.block;
      bypass?.onGiven(last?.holder[last.field] as string | undefined);
    }
    return { given: joined, room };
  }

  /** Makes one event of the pieces of one text that follow each other. */
  #join(events: readonly CleanEvent[]): CleanEvent[] {
    if (events.length < 2) return [...events];
    const joined: CleanEvent[] = [];
    let before: { event: Fields; piece: TextPiece; texts: string[] } | undefined;
    const close = (): void => {
      if (before !== undefined) before.piece.holder[before.piece.field] = before.texts.join("");
    };
    for (const event of events) {
      const piece = this.#pieceIn(event);
      if (piece !== undefined && before !== undefined && piece.block === before.piece.block) {
        before.texts.push(piece.holder[piece.field] as string);
        Object.assign(before.event, piece.beside);
        continue;
      }
      close();
      before =
        piece === undefined
          ? undefined
          : { event: event as Fields, piece, texts: [piece.holder[piece.field] as string] };
      joined.push(event);
    }
    close();
    return joined;
  }

  #pieceIn(event: CleanEvent | undefined): TextPiece | undefined {
    return isFields(event) ? this.#mender.pieceIn(event) : undefined;
  }
}
