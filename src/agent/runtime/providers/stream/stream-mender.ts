import type { Departures } from "./departures.ts";
import type { Fields } from "./json-fields.ts";
import type { TextPiece } from "./text-bypass.ts";
import type { WireAPI } from "./wire-api.ts";

/**
 * Brings the events of one answer into the form that the provider's package reads, in which they have only the fields that the
 * agent has a use for. Servers that speak a provider's protocol leave things out, add some and spell others otherwise. What
 * has a plain meaning is mended, and what has none is left as it is, so that the package finds it malformed.
 */
export interface StreamMender {
  readonly api: WireAPI;
  /** The events in place of one. `name` is what the stream calls the event, if it does. */
  mend(event: Fields, name: string | undefined): Fields[];
  /** The events of an answer that came as a whole instead of as a stream. Undefined when it is no answer. */
  fromWhole(answer: Fields): Fields[] | undefined;
  /** The events that the stream lacks at its end. */
  atEnd(): Fields[];
  /** Whether the server has said why the answer ended: nothing that matters but counts of tokens may follow. */
  readonly mayEnd: boolean;
  /** The text in an event that `mend` gave, when it says nothing else. */
  pieceIn(event: Fields): TextPiece | undefined;
  /** Whether the answer has come to its end, whatever else the server sends. */
  readonly isOver: boolean;
}

export type CreateStreamMender = (departures: Departures) => StreamMender;
