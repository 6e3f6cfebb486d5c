/**
 * How much work a pattern is to compile, told from its text before anything is compiled. `a{1000}` is seven characters and a
 * program of a thousand instructions. Both numbers are upper bounds.
 */

export interface PatternWork {
  /** Instructions of the compiled program. */
  readonly instructions: number;
  /** Steps that it takes to compile it, see `WorkBudget`. */
  readonly steps: number;
}

const STEPS_AN_INSTRUCTION = 200;
/** A class such as `\pL` has hundreds of ranges. */
const STEPS_A_UNICODE_CLASS = 20_000;
/** With the flag "i" every character of a range is looked at for its other cases. */
const STEPS_A_FOLDED_CHARACTER = 3;
/** The last character that has another case. */
const LAST_FOLDED_CHARACTER = 125_251;
/** What the engine adds around the pattern, around a group, for an alternative and for a quantifier. */
const FRAME_INSTRUCTIONS = 4;
const GROUP_INSTRUCTIONS = 3;
const BRANCH_INSTRUCTIONS = 2;
/** No quantifier is longer. */
const QUANTIFIER = /^\{(\d{1,9})(,?)(\d{0,9})\}/;
const LONGEST_QUANTIFIER = 21;
/** Such as `(?i)`: it is no item, so that a quantifier behind it repeats the item before it. */
const FLAGS = /^\(\?[a-zA-Z-]{0,8}\)/;
const LONGEST_FLAGS = 11;

interface Group {
  instructions: number;
  /** Of the item that a quantifier would repeat. */
  last: number;
}

/** Takes a pattern in the syntax of RE2, also one that is not valid. */
export function patternWork(pattern: string): PatternWork {
  const characters = Array.from(pattern);
  const ignoresCase = /\(\?[a-zA-Z-]*i/.test(pattern);
  const outer: Group[] = [];
  let group: Group = { instructions: FRAME_INSTRUCTIONS, last: 0 };
  let steps = 0;
  let at = 0;
  while (at < characters.length) takeItem();
  while (outer.length > 0) closeGroup();
  return {
    instructions: group.instructions,
    steps: steps + group.instructions * STEPS_AN_INSTRUCTION,
  };

  function takeItem(): void {
    const character = characters[at] ?? "";
    switch (character) {
      case "\\":
        return takeEscape();
      case "[":
        takeClass();
        return addItem(1);
      case "(":
        return openGroup();
      case ")":
        at += 1;
        if (outer.length > 0) closeGroup();
        return;
      case "|":
        at += 1;
        return addItem(BRANCH_INSTRUCTIONS);
      case "*":
      case "+":
      case "?":
        at += 1;
        return repeat(1, 1);
      case "{":
        return takeRepetition();
      default:
        at += 1;
        addItem(1);
    }
  }

  function addItem(instructions: number): void {
    group.instructions += instructions;
    group.last = instructions;
  }

  function openGroup(): void {
    const [flags] = FLAGS.exec(characters.slice(at, at + LONGEST_FLAGS).join("")) ?? [];
    at += flags?.length ?? 1;
    if (flags !== undefined) return;
    outer.push(group);
    group = { instructions: GROUP_INSTRUCTIONS, last: 0 };
  }

  function closeGroup(): void {
    const { instructions } = group;
    group = outer.pop() as Group;
    addItem(instructions);
  }

  /** `branches`: how many of the repetitions may be left out. */
  function repeat(times: number, branches: number): void {
    const repeated = group.last * times + branches + BRANCH_INSTRUCTIONS;
    group.instructions += repeated - group.last;
    group.last = repeated;
  }

  function takeRepetition(): void {
    const next = characters.slice(at, at + LONGEST_QUANTIFIER).join("");
    const [written, least, comma, most] = QUANTIFIER.exec(next) ?? [];
    if (written === undefined) {
      at += 1;
      return addItem(1);
    }
    at += written.length;
    const isOpen = comma !== "" && most === "";
    const times = Math.max(Number(least) + (isOpen ? 1 : 0), Number(most), 1);
    repeat(times, times - Number(least) + 1);
  }

  function takeEscape(): void {
    const kind = characters[at + 1];
    if (kind === "Q") {
      at += 2;
      while (at < characters.length && (characters[at] !== "\\" || characters[at + 1] !== "E")) {
        at += 1;
        addItem(1);
      }
      at += 2;
      return;
    }
    takeCharacter();
    addItem(1);
  }

  /** A character as it stands in a class or outside of one, perhaps escaped; `undefined` for a whole class such as `\pL`. */
  function takeCharacter(): number | undefined {
    if (characters[at] !== "\\") {
      at += 1;
      return characters[at - 1]?.codePointAt(0);
    }
    const kind = characters[at + 1] ?? "";
    at += 2;
    if (kind === "p" || kind === "P") {
      steps += STEPS_A_UNICODE_CLASS;
      if (characters[at] === "{") skipBraces();
      else at += 1;
      return undefined;
    }
    if (kind !== "x") return kind.codePointAt(0);
    const start = at;
    if (characters[at] === "{") skipBraces();
    else at += 2;
    const digits = characters.slice(start, at).join("").replaceAll(/[{}]/g, "");
    return Number.parseInt(digits, 16);
  }

  function skipBraces(): void {
    const end = characters.indexOf("}", at);
    at = end < 0 ? characters.length : end + 1;
  }

  function takeClass(): void {
    at += 1;
    if (characters[at] === "^") at += 1;
    let isFirst = true;
    let low: number | undefined;
    while (at < characters.length && (characters[at] !== "]" || isFirst)) {
      isFirst = false;
      const named = characters[at] === "[" && characters[at + 1] === ":" ? endOfNamedClass() : -1;
      if (named >= 0) {
        at = named;
        low = undefined;
      } else if (characters[at] === "-" && low !== undefined && characters[at + 1] !== "]") {
        at += 1;
        const high = takeCharacter();
        if (ignoresCase) steps += foldingSteps(low, high ?? LAST_FOLDED_CHARACTER);
        low = undefined;
      } else low = takeCharacter();
    }
    at += 1;
  }

  /** Of a class like `[:alpha:]`, which stands in another one. */
  function endOfNamedClass(): number {
    for (let end = at + 2; end + 1 < characters.length; end += 1) {
      if (characters[end] === ":" && characters[end + 1] === "]") return end + 2;
      if (!/[a-z^]/.test(characters[end] ?? "")) return -1;
    }
    return -1;
  }
}

function foldingSteps(low: number, high: number): number {
  const width = Math.min(high, LAST_FOLDED_CHARACTER) - low;
  // What is no number was no character either, and the pattern is refused when it is compiled.
  return Math.max(0, width || 0) * STEPS_A_FOLDED_CHARACTER;
}
