/**
 * The addresses that a text of Markdown names apart from the links to them, as `[name]: address`. Blocks are parsed one by one, and so each is
 * given those that it refers to and that stand in other blocks.
 */
import type { MarkdownBlock } from "./block-cutter.ts";

/** More are left out: each is looked for in each block. */
const MAX_DEFINITIONS = 64;
/** A name that begins with ^ is that of a footnote. */
const DEFINITION = /^ {0,3}\[(?!\^)((?:[^[\]\\\n]|\\.){1,200})\]:[ \t]*(\S[^\n]{0,2100})$/gm;

export class LinkDefinitions {
  readonly #lines = new Map<string, string>();
  #found = new WeakMap<MarkdownBlock, string>();
  #read = 0;

  /** Reads what was closed since the last time, and the last block once it does not grow any more. */
  take(closed: readonly MarkdownBlock[], last: MarkdownBlock | undefined): void {
    const fresh = closed.slice(this.#read);
    this.#read = closed.length;
    for (const block of last === undefined ? fresh : [...fresh, last]) this.#takeBlock(block);
  }

  /** The lines that belong before a block when it is parsed; empty for most. */
  of(block: MarkdownBlock): string {
    if (block.type === "code" || this.#lines.size === 0 || !block.text.includes("[")) return "";
    const known = this.#found.get(block);
    if (known !== undefined) return known;
    const text = normal(block.text);
    const lines = [...this.#lines].filter(([name]) => text.includes(`[${name}]`));
    const found = lines.map(([, line]) => `${line}\n`).join("");
    this.#found.set(block, found);
    return found;
  }

  #takeBlock(block: MarkdownBlock): void {
    if (block.type === "code") return;
    for (const [line, name = ""] of block.text.matchAll(DEFINITION)) {
      const key = normal(name).trim();
      // The first of a name counts.
      if (key === "" || this.#lines.has(key) || this.#lines.size >= MAX_DEFINITIONS) continue;
      this.#lines.set(key, line);
      this.#found = new WeakMap();
    }
  }
}

/** Names are the same in any case and with any spaces. */
function normal(text: string): string {
  return text.toLowerCase().replaceAll(/\s+/g, " ");
}
