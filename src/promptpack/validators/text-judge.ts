/** Judges a text that comes in pieces. */
export interface TextJudge {
  /**
   * Takes the next piece. Answers from which place of the whole text on nothing may be said yet, in UTF-16 units: what is before it
   * breaks no rule, whatever follows. `undefined`: the text breaks the rule.
   */
  add(piece: string): number | undefined;
  /** Whether the text keeps the rule now that nothing follows. */
  end(): boolean;
}
