/** Draws lines at the end of a terminal again in place, and prints other lines above them. */
import { ControlSequence } from "../../observability/terminal/control-sequence.ts";
import type { Line } from "../../observability/terminal/line.ts";
import { draw, type Output } from "../../observability/terminal/writer.ts";

const { BEGIN_UPDATE, END_UPDATE, WRAP_OFF, WRAP_ON, CLEAR_LINE_END, CLEAR_BELOW, NEXT_LINE } =
  ControlSequence;

export class LiveRegion {
  readonly #terminal: Output;
  #drawn: readonly Line[] = [];

  constructor(terminal: Output) {
    this.#terminal = terminal;
  }

  /** Makes one write for each update, so that a terminal never shows half of one. Writes nothing when nothing has changed. */
  update(lines: readonly Line[], above: readonly Line[] = []): void {
    if (above.length === 0 && JSON.stringify(lines) === JSON.stringify(this.#drawn)) return;
    draw(this.#terminal, [
      BEGIN_UPDATE,
      // If a line that is too long were wrapped, it would take two lines, and the next drawing would begin in the wrong one.
      WRAP_OFF,
      ...(this.#drawn.length === 0 ? [] : [ControlSequence.linesUp(this.#drawn.length)]),
      ...[...above, ...lines].flatMap((line) => [line, CLEAR_LINE_END, NEXT_LINE]),
      CLEAR_BELOW,
      WRAP_ON,
      END_UPDATE,
    ]);
    this.#drawn = lines;
  }

  /** Tells that the terminal has another size, so that nobody knows any more where the lines are. */
  forget(): void {
    this.#drawn = [];
  }
}
