/**
 * Cuts a text of Markdown, as it grows, into blocks that are parsed by themselves: so what has come need not be parsed again with
 * each piece. It cuts at blank lines, and where a block grows too large. However the text is handed over, the cuts are the same.
 */
export type MarkdownBlock =
  | { readonly type: "markdown"; readonly text: string }
  /** The lines between two fences, or as many of them as have come. */
  | { readonly type: "code"; readonly text: string; readonly language: string };

/** In characters. A longer block is cut, since parsing it again and again would hold up the page. */
export const MAX_BLOCK_LENGTH = 4_096;

interface Fence {
  readonly marker: string;
  readonly language: string;
  /** It stands in a block of Markdown, such as a list. */
  readonly isInner: boolean;
}

export class BlockCutter {
  readonly #closed: MarkdownBlock[] = [];
  /** The lines of the open block. */
  #open = "";
  /** What came of the line that has not ended. */
  #line = "";
  #fence: Fence | undefined;
  /** A blank line came last, so the block ends unless the next line belongs to it. */
  #isAfterBlank = false;
  /** The line that has not ended is the rest of a longer one. */
  #isMidLine = false;

  /** The blocks that do not change any more. */
  get closed(): readonly MarkdownBlock[] {
    return this.#closed;
  }

  /** The block that grows, unless nothing of it has come. */
  get open(): MarkdownBlock | undefined {
    const { isFenceLine } = this.#fenceOf(this.#line);
    // A line that may become a fence is left out until that is known.
    const line = this.#fence?.isInner === false && isFenceLine ? "" : this.#line;
    const text = this.#open + line;
    return text === "" && this.#fence === undefined ? undefined : this.#block(text);
  }

  append(text: string): void {
    let from = 0;
    while (from < text.length) {
      const lineEnd = text.indexOf("\n", from);
      const to = lineEnd === -1 ? text.length : lineEnd + 1;
      const room = MAX_BLOCK_LENGTH - this.#line.length;
      const piece = text.slice(from, Math.min(to, from + room));
      this.#line += piece;
      from += piece.length;
      const isWhole = this.#line.endsWith("\n");
      if (!isWhole && this.#line.length < MAX_BLOCK_LENGTH) continue;
      const end = isWhole ? this.#line.length : endOfPiece(this.#line);
      this.#take(this.#line.slice(0, end));
      this.#line = this.#line.slice(end);
      this.#isMidLine = !isWhole;
    }
  }

  /** Takes a line that does not grow any more. */
  #take(line: string): void {
    if (this.#fence?.isInner === false) this.#takeCode(line, this.#fence);
    else this.#takeMarkdown(line);
  }

  #takeCode(line: string, { marker }: Fence): void {
    if (!this.#isMidLine && closes(line, marker)) {
      this.#close(true);
      this.#fence = undefined;
      return;
    }
    if (this.#open.length + line.length > MAX_BLOCK_LENGTH) this.#close();
    this.#open += line;
  }

  #takeMarkdown(line: string): void {
    const isBlank = !this.#isMidLine && line.trim() === "";
    if (this.#fence !== undefined) {
      if (!this.#isMidLine && closes(line, this.#fence.marker)) this.#fence = undefined;
    } else if (!this.#isMidLine) {
      const { fence } = this.#fenceOf(line);
      const isIndented = /^[ \t]/.test(line);
      if (this.#isAfterBlank && !isBlank && !isIndented) this.#close();
      if (fence !== undefined) {
        const isInner = isIndented && this.#open !== "";
        if (!isInner) this.#close();
        this.#fence = { ...fence, isInner };
        if (!isInner) {
          this.#isAfterBlank = false;
          return;
        }
      }
    }
    if (this.#open.length + line.length > MAX_BLOCK_LENGTH) {
      this.#close();
      if (this.#fence !== undefined) {
        // The block that goes on is code only.
        this.#fence = { ...this.#fence, isInner: false };
        this.#takeCode(line, this.#fence);
        return;
      }
    }
    if (isBlank && this.#open === "") return;
    this.#open += line;
    this.#isAfterBlank = isBlank;
  }

  #fenceOf(line: string): { fence: Omit<Fence, "isInner"> | undefined; isFenceLine: boolean } {
    const [, marker = "", info = ""] = /^\s{0,12}(`{3,}|~{3,})([^\n]*)/.exec(line) ?? [];
    if (marker === "") return { fence: undefined, isFenceLine: /^\s{0,3}[`~]{1,2}$/.test(line) };
    // The words behind backticks may hold none.
    if (marker.startsWith("`") && info.includes("`")) {
      return { fence: undefined, isFenceLine: false };
    }
    const language = /^\s*([\w+#.-]{1,32})/.exec(info)?.[1]?.toLowerCase() ?? "";
    return { fence: { marker, language }, isFenceLine: true };
  }

  #block(text: string): MarkdownBlock {
    const fence = this.#fence;
    if (fence === undefined || fence.isInner) return { type: "markdown", text };
    return { type: "code", text, language: fence.language };
  }

  /** `isEmptyToo`: a fence without lines is a block. */
  #close(isEmptyToo = false): void {
    if (this.#open !== "" || isEmptyToo) this.#closed.push(this.#block(this.#open));
    this.#open = "";
    this.#isAfterBlank = false;
  }
}

function closes(line: string, marker: string): boolean {
  const text = line.trim();
  return text.length >= marker.length && text === (marker[0] ?? "").repeat(text.length);
}

/** Where a line that is too long is cut: behind a word, and not within a character. */
function endOfPiece(line: string): number {
  const space = line.lastIndexOf(" ");
  if (space >= line.length / 2) return space + 1;
  const last = line.charCodeAt(line.length - 1);
  const isHalf = last >= 0xd800 && last <= 0xdbff;
  return isHalf ? line.length - 1 : line.length;
}
