/** Finds the line and column of each place of a text. */
export interface Position {
  /** Counted from 1, as editors do. */
  readonly line: number;
  readonly column: number;
}

export const BYTE_ORDER_MARK = "\uFEFF";

export class TextPositions {
  readonly #length: number;
  readonly #starts: number[] = [];

  constructor(text: string) {
    this.#length = text.length;
    for (let start = 0; ;) {
      // No editor shows a byte order mark, so it takes no column.
      let shown = start;
      while (text[shown] === BYTE_ORDER_MARK) shown += 1;
      this.#starts.push(shown);
      const end = text.indexOf("\n", start);
      if (end < 0) break;
      start = end + 1;
    }
  }

  at(offset: number): Position {
    const place = Math.min(Math.max(offset, 0), this.#length);
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#starts[middle] ?? 0) <= place) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: Math.max(1, place - (this.#starts[low] ?? 0) + 1) };
  }
}
