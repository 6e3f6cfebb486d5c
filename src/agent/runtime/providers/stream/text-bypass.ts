/**
 * Takes text of an answer past the provider's package. To bring one event through the package costs more than all else that is done
 * with it, and of an event that goes on with a text the package makes just this text.
 *
 * The order stays. The first piece of a text goes through the package, as does every other event. A piece goes past it only when
 * the events before it have come out: the last one of them was a piece of the same text, its text has come out, and whoever reads
 * what the package makes waits for more.
 */
import type { Fields } from "./json-fields.ts";

/** An event of the provider's form that says nothing but a piece of the answer's text. */
export interface TextPiece {
  /** The object with the text, and the name of its field. */
  readonly holder: Fields;
  readonly field: string;
  /** Which text of the answer goes on with it. */
  readonly block: unknown;
  /** The fields of the event beside the text. Of several in a row only the last counts. */
  readonly beside?: Fields | undefined;
}

export class TextBypass {
  readonly #say: (text: string) => Promise<void> | undefined;
  /** Whether the reader of the package's parts waits for the next one. To be set by it. */
  isReaderWaiting = false;
  /** The text of the last event that the package was given, as long as it has not come out. */
  #awaited: string | undefined;
  #isOpen = false;

  /** `say` takes the text in place of the reader. It settles when there is room for more. */
  constructor(say: (text: string) => Promise<void> | undefined) {
    this.#say = say;
  }

  get isOpen(): boolean {
    return this.#isOpen && this.isReaderWaiting;
  }

  /** The package is given events, the last of which is a piece with this text, or none. */
  onGiven(text: string | undefined): void {
    this.#isOpen = false;
    this.#awaited = text;
  }

  /** The package has made a text. */
  onMade(text: string): void {
    if (text === this.#awaited) this.#isOpen = true;
  }

  say(text: string): Promise<void> | undefined {
    return this.#say(text);
  }
}

const ofRequests = new WeakMap<AbortSignal, TextBypass>();

/** The bypass is for the answer to the request that is made next with this signal: a package hands on nothing else of a call. */
export function openBypass(
  signal: AbortSignal,
  say: (text: string) => Promise<void> | undefined,
): TextBypass {
  const bypass = new TextBypass(say);
  ofRequests.set(signal, bypass);
  return bypass;
}

export function bypassOf(signal: AbortSignal | null | undefined): TextBypass | undefined {
  return signal == null ? undefined : ofRequests.get(signal);
}
