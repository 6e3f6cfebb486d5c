/** Brings the events of one answer to the provider's package, or past it, with as few of them as say the same. */
import { isFields, type Fields } from "./json-fields.ts";
import type { StreamMender } from "./stream-mender.ts";
import type { TextBypass, TextPiece } from "./text-bypass.ts";

/** An event of the provider's form, or the text of one that is no JSON. */
export type CleanEvent = Fields | string;

export interface TakenEvents {
  readonly given: readonly CleanEvent[];
  readonly room: Promise<void> | undefined;
}

const NOTHING: readonly CleanEvent[] = [];

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
    const bypass = this.#bypass;
    const joined = events.length < 2 ? events : this.#join(events);
    const [first] = joined;
    const piece = this.#pieceIn(first);
    const goesPast = piece !== undefined && piece.block === this.#block && bypass?.isOpen === true;
    if (goesPast && joined.length === 1 && !isLast) {
      this.#beside = piece.beside ?? this.#beside;
      return { given: NOTHING, room: bypass.say(piece.holder[piece.field] as string) };
    }
    return this.#takeAll([...joined], goesPast ? piece : undefined, isLast);
  }

  /** `past`: the piece in the first event, when it goes past the package. */
  #takeAll(joined: CleanEvent[], past: TextPiece | undefined, isLast: boolean): TakenEvents {
    const bypass = this.#bypass;
    let room: Promise<void> | undefined;
    if (past !== undefined) {
      joined.shift();
      this.#beside = past.beside ?? this.#beside;
      room = bypass?.say(past.holder[past.field] as string);
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
