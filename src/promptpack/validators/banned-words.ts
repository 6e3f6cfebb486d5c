/**
 * Looks for many words at once in a text that comes in pieces, as Aho and Corasick do (Communications of the ACM 18, 1975): a state
 * is the longest end of the text with which a word begins, so that just this end is held back.
 */
import { isWordCharacter, normalCharacter, normalText } from "./normal-text.ts";
import type { TextJudge } from "./text-judge.ts";

interface Word {
  readonly length: number;
  /** Whether it counts only where no word goes on before it, or behind it. */
  readonly beginsWord: boolean;
  readonly endsWord: boolean;
}

interface State {
  readonly next: Map<number, State>;
  readonly depth: number;
  fallback: State | undefined;
  words: Word[];
}

/** Words that are looked for. It may be used for any number of texts. */
export class BannedWords {
  readonly #root: State = { next: new Map(), depth: 0, fallback: undefined, words: [] };
  readonly #longest: number;

  constructor(words: readonly string[], { withinWords }: { withinWords: boolean }) {
    const normal = words.map((word) => normalText(word).trim()).filter((word) => word !== "");
    this.#longest = Math.max(1, ...normal.map(({ length }) => length));
    for (const word of normal) this.#add(word, withinWords);
    this.#link();
  }

  judge(): TextJudge {
    return new BannedWordsJudge(this.#root, this.#longest);
  }

  #add(word: string, withinWords: boolean): void {
    let state = this.#root;
    for (let index = 0; index < word.length; index += 1) {
      const unit = word.charCodeAt(index);
      let next = state.next.get(unit);
      if (next === undefined) {
        next = { next: new Map(), depth: index + 1, fallback: undefined, words: [] };
        state.next.set(unit, next);
      }
      state = next;
    }
    const characters = Array.from(word);
    state.words.push({
      length: word.length,
      beginsWord: !withinWords && isWordCharacter(characters[0] ?? ""),
      endsWord: !withinWords && isWordCharacter(characters.at(-1) ?? ""),
    });
  }

  #link(): void {
    const queue: State[] = [this.#root];
    for (const state of queue) {
      for (const [unit, next] of state.next) {
        next.fallback =
          state === this.#root ? this.#root : follow(state.fallback, unit, this.#root);
        next.words = [...next.words, ...next.fallback.words];
        queue.push(next);
      }
    }
  }
}

function follow(from: State | undefined, unit: number, root: State): State {
  for (let state = from; state !== undefined; state = state.fallback) {
    const next = state.next.get(unit);
    if (next !== undefined) return next;
  }
  return root;
}

class BannedWordsJudge implements TextJudge {
  readonly #root: State;
  /** By the number of a normal unit, modulo the room: where its character begins in the text, and whether it is of a word. */
  readonly #begins: Float64Array;
  readonly #isWord: Uint8Array;
  #state: State;
  /** Normal units so far. */
  #units = 0;
  #length = 0;
  #wasBlank = false;
  /** The first half of a character whose second half is yet to come. */
  #half = "";
  /** The length of the longest word that is there if no word goes on behind it. */
  #pending = 0;

  constructor(root: State, longest: number) {
    this.#root = root;
    this.#state = root;
    this.#begins = new Float64Array(longest + 2);
    this.#isWord = new Uint8Array(longest + 2);
  }

  add(piece: string): number | undefined {
    let text = this.#half + piece;
    this.#half = "";
    if (/[\uD800-\uDBFF]$/.test(text)) {
      this.#half = text.slice(-1);
      text = text.slice(0, -1);
    }
    for (const character of text) {
      if (this.#take(character)) return undefined;
      this.#length += character.length;
    }
    const held = Math.max(this.#state.depth, this.#pending);
    return held === 0 ? this.#length : this.#beginOf(this.#units - held);
  }

  end(): boolean {
    return this.#pending === 0;
  }

  /** Answers whether a word is complete. */
  #take(character: string): boolean {
    const normal = normalCharacter(character);
    if (normal === "" || (normal === " " && this.#wasBlank)) return false;
    this.#wasBlank = normal === " ";
    for (const letter of normal) {
      const isWord = isWordCharacter(letter);
      if (this.#pending > 0 && !isWord) return true;
      this.#pending = 0;
      for (let index = 0; index < letter.length; index += 1) {
        if (this.#step(letter.charCodeAt(index), isWord)) return true;
      }
    }
    return false;
  }

  #step(unit: number, isWord: boolean): boolean {
    const room = this.#units % this.#begins.length;
    this.#begins[room] = this.#length;
    this.#isWord[room] = isWord ? 1 : 0;
    this.#units += 1;
    this.#state = follow(this.#state, unit, this.#root);
    for (const { length, beginsWord, endsWord } of this.#state.words) {
      if (beginsWord && this.#isWordAt(this.#units - length - 1)) continue;
      if (!endsWord) return true;
      this.#pending = Math.max(this.#pending, length);
    }
    return false;
  }

  #isWordAt(unit: number): boolean {
    return unit >= 0 && this.#isWord[unit % this.#isWord.length] === 1;
  }

  #beginOf(unit: number): number {
    return this.#begins[unit % this.#begins.length] ?? this.#length;
  }
}
