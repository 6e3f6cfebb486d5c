/** The control sequences of the program's own. There are no others: only this file can make one. */
export class ControlSequence {
  readonly sequence: string;

  private constructor(sequence: string) {
    this.sequence = sequence;
  }

  /** The terminal shows what comes between these two at once. */
  static readonly BEGIN_UPDATE = new ControlSequence("\u001B[?2026h");
  static readonly END_UPDATE = new ControlSequence("\u001B[?2026l");
  /** Between these two a line that is too long is cut, not wrapped. */
  static readonly WRAP_OFF = new ControlSequence("\u001B[?7l");
  static readonly WRAP_ON = new ControlSequence("\u001B[?7h");
  static readonly NEXT_LINE = new ControlSequence("\n");
  static readonly CLEAR_LINE_END = new ControlSequence("\u001B[K");
  static readonly CLEAR_BELOW = new ControlSequence("\u001B[J");

  /** To the beginning of the line that is so many above; there must be one. */
  static linesUp(count: number): ControlSequence {
    return new ControlSequence(`\u001B[${Math.trunc(count)}A\r`);
  }
}
