/** Draws lines at the end of a terminal again in place, and prints other lines above them. */
export interface Terminal {
  write(text: string): unknown;
}

const BEGIN_UPDATE = "\u001B[?2026h";
const END_UPDATE = "\u001B[?2026l";
/** A line that is too long is cut. If it were wrapped, it would take two lines, and the next drawing would begin in the wrong one. */
const WRAP_OFF = "\u001B[?7l";
const WRAP_ON = "\u001B[?7h";
const CLEAR_LINE_END = "\u001B[K";
const CLEAR_BELOW = "\u001B[J";

export class LiveRegion {
  readonly #terminal: Terminal;
  #drawn: readonly string[] = [];

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Makes one write for each update, so that a terminal never shows half of one. Writes nothing when nothing has changed. */
  update(lines: readonly string[], above: readonly string[] = []): void {
    if (above.length === 0 && lines.join("\n") === this.#drawn.join("\n")) return;
    const up = this.#drawn.length === 0 ? "" : `\u001B[${this.#drawn.length}A\r`;
    const text = [...above, ...lines].map((line) => `${line}${CLEAR_LINE_END}\n`).join("");
    this.#terminal.write(
      `${BEGIN_UPDATE}${WRAP_OFF}${up}${text}${CLEAR_BELOW}${WRAP_ON}${END_UPDATE}`,
    );
    this.#drawn = lines;
  }

  /** Tells that the terminal has another size, so that nobody knows any more where the lines are. */
  forget(): void {
    this.#drawn = [];
  }
}
