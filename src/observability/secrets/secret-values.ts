/** The secrets that this process was given, and how they are kept out of what it says: by their values, in whatever spelling. */
import { matchAt, spellingsOf, type Match, type Spelling } from "./spelling.ts";

export const REDACTED = "[redacted]";
/** Shorter ones are words that a text may well hold by chance. */
export const MIN_SECRET_CHARACTERS = 8;
/** Beyond this number the one that was added longest ago is forgotten. */
export const MAX_SECRETS = 1_024;

/** Of a secret of several lines, such as a private key, each line is looked for. A list of public authorities has more of them. */
const MAX_LINES = 64;
/** What an escaped character begins with, whichever it is. */
const ESCAPES = new Set(["%", "\\"]);

export class SecretValues {
  readonly #spellings = new Map<string, readonly Spelling[]>();
  #byFirstCharacter: ReadonlyMap<string, readonly Spelling[]> | undefined;

  constructor(secrets: Iterable<string> = []) {
    for (const secret of secrets) this.add(secret);
  }

  /** A secret, or a text that holds one: of a URL its password counts as well, and of a text of several lines each line. */
  add(secret: string): void {
    const text = secret.trim();
    for (const part of new Set([text, ...passwordOf(text), ...linesOf(text)])) {
      if (part.length < MIN_SECRET_CHARACTERS) continue;
      const known = this.#spellings.get(part);
      this.#spellings.delete(part);
      this.#spellings.set(part, known ?? spellingsOf(part));
      if (known !== undefined) continue;
      const [oldest] = this.#spellings.keys();
      if (this.#spellings.size > MAX_SECRETS && oldest !== undefined) {
        this.#spellings.delete(oldest);
      }
      this.#byFirstCharacter = undefined;
    }
  }

  /** The text without the secrets in it. */
  hide(text: string): string {
    const { clean, rest } = this.hideBeginning(text);
    return clean + this.hideEnd(rest);
  }

  /** `rest` is the end of the text that may be the beginning of a secret: what follows decides. */
  hideBeginning(text: string): { clean: string; rest: string } {
    if (this.#spellings.size === 0) return { clean: text, rest: "" };
    let clean = "";
    let from = 0;
    for (let at = 0; at < text.length; at += 1) {
      const match = this.#longestAt(text, at);
      if (match === undefined) continue;
      clean += text.slice(from, at);
      if (match.begins || match.end === undefined) return { clean, rest: text.slice(at) };
      clean += REDACTED;
      from = match.end;
      at = from - 1;
    }
    return { clean: clean + text.slice(from), rest: "" };
  }

  /** The end of a text after which nothing comes. So much of a secret as would be one by itself is hidden too. */
  hideEnd(rest: string): string {
    let clean = "";
    let from = 0;
    for (let at = 0; at < rest.length; at += 1) {
      const match = this.#longestAt(rest, at);
      if (match === undefined) continue;
      if (match.end === undefined && rest.length - at < MIN_SECRET_CHARACTERS) continue;
      clean += rest.slice(from, at) + REDACTED;
      from = match.end ?? rest.length;
      at = from - 1;
    }
    return clean + rest.slice(from);
  }

  #longestAt(text: string, at: number): Match | undefined {
    let end: number | undefined;
    let begins = false;
    for (const spelling of this.#candidates(text[at] ?? "")) {
      const match = matchAt(text, at, spelling);
      if (match === undefined) continue;
      begins ||= match.begins;
      if (match.end !== undefined) end = Math.max(end ?? 0, match.end);
    }
    return end === undefined && !begins ? undefined : { end, begins };
  }

  #candidates(character: string): readonly Spelling[] {
    this.#byFirstCharacter ??= byFirstCharacter([...this.#spellings.values()].flat());
    return this.#byFirstCharacter.get(ESCAPES.has(character) ? "" : character) ?? [];
  }
}

/** Under the empty text are all. */
function byFirstCharacter(all: readonly Spelling[]): ReadonlyMap<string, readonly Spelling[]> {
  const groups = new Map<string, Spelling[]>([["", [...all]]]);
  for (const spelling of all) {
    const first = spelling.characters[0]?.charAt(0) ?? "";
    groups.set(first, [...(groups.get(first) ?? []), spelling]);
  }
  return groups;
}

function linesOf(text: string): string[] {
  const lines = text.split(/\s*\n\s*/).filter((line) => !/^-----.*-----$/.test(line));
  return lines.length > MAX_LINES ? [] : lines;
}

function passwordOf(text: string): string[] {
  const password = URL.parse(text)?.password ?? "";
  if (password === "") return [];
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password];
  }
}
