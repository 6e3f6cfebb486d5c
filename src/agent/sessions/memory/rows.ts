const ROWS_OF_BLOCK = 64;

/**
 * A long list of rows of a few values each, to which rows are added at the end and taken off both ends. It is kept in blocks, so that
 * it grows without being copied, and rows are no objects of their own.
 */
export class Rows<Value> {
  readonly #width: number;
  readonly #blank: Value;
  #blocks: Value[][] = [];
  /** The rows of the first block that were dropped. */
  #dropped = 0;

  /** `blank`: what stands in place of a value that was dropped, so that it is not kept any more. */
  constructor(width: number, blank: Value) {
    this.#width = width;
    this.#blank = blank;
  }

  get length(): number {
    const last = this.#blocks.at(-1);
    if (last === undefined) return 0;
    return (this.#blocks.length - 1) * ROWS_OF_BLOCK + last.length / this.#width - this.#dropped;
  }

  /** The place for the next row: all its values are to be pushed to it. */
  end(): Value[] {
    const last = this.#blocks.at(-1);
    if (last !== undefined && last.length < ROWS_OF_BLOCK * this.#width) return last;
    const block: Value[] = [];
    this.#blocks.push(block);
    return block;
  }

  /** One value of a row. There must be such a row. */
  at(row: number, column: number): Value {
    const index = row + this.#dropped;
    const block = this.#blocks[Math.floor(index / ROWS_OF_BLOCK)] as Value[];
    return block[(index % ROWS_OF_BLOCK) * this.#width + column] as Value;
  }

  dropFirst(): void {
    const [block] = this.#blocks;
    if (block === undefined || this.length === 0) return;
    const first = this.#dropped * this.#width;
    block.fill(this.#blank, first, first + this.#width);
    this.#dropped += 1;
    if (this.#dropped < ROWS_OF_BLOCK && this.length > 0) return;
    this.#blocks.shift();
    this.#dropped = 0;
  }

  dropLast(): void {
    const last = this.#blocks.at(-1);
    if (last === undefined || this.length === 0) return;
    last.length -= this.#width;
    if (this.length > 0 && last.length > 0) return;
    this.#blocks.pop();
    if (this.#blocks.length === 0) this.#dropped = 0;
  }
}
