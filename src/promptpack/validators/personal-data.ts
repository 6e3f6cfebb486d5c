/**
 * Looks for personal data in a text that comes in pieces: addresses of e-mail (RFC 5322, without quoted names), phone numbers (E.164, and
 * national ones in groups), numbers of cards (ISO/IEC 7812 with its check digit) and of bank accounts (ISO 13616 with its check digits).
 */
import type { TextJudge } from "./text-judge.ts";
import type { PersonalData } from "./validator-config.ts";

/** Longer than anything that is looked for. As much of a text without blanks is held back. */
const MAX_DATA_CHARACTERS = 512;

const EMAIL = /[\p{L}\p{N}._%+'-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63})+/u;
const CARD = /(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d])/g;
const ACCOUNT_BEGIN = /(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}/g;
const INTERNATIONAL = /(?<![\w+])\+\d(?:[ ()./-]{0,3}\d){7,14}(?!\d)/;
const NATIONAL = /(?<![\w.+-])\(?\d{2,5}\)?(?:[ ./-]{1,2}\d{2,5}){1,5}(?![\w-])/g;
const MIN_PHONE_DIGITS = 9;
const MAX_PHONE_DIGITS = 15;
const INTERNET_ADDRESS = /^\d{1,3}(?:\.\d{1,3}){3}$/;

/** A piece between blanks that a number may go on with: it has a digit, or is a short group of letters of an account. */
const GROUP = /^[(+]?[A-Za-z]{0,4}[\d().+/-]*[A-Za-z0-9()./-]{0,34}$/;
const HAS_DIGIT = /\d/;
const LETTERS_OF_ACCOUNT = /^(?:[A-Z]{1,4}|[a-z]{4})$/;

type Finder = (text: string) => boolean;

const FINDERS: Readonly<Record<PersonalData, Finder>> = {
  email: (text) => text.includes("@") && EMAIL.test(text),
  phone: hasPhone,
  credit_card: (text) => matches(text, CARD).some((found) => isCard(digitsOf(found))),
  iban: hasAccount,
};

export class PersonalDataJudge implements TextJudge {
  readonly #finders: readonly Finder[];
  #held = "";
  #length = 0;

  constructor(kinds: readonly PersonalData[]) {
    this.#finders = kinds.map((kind) => FINDERS[kind]);
  }

  add(piece: string): number | undefined {
    this.#held += piece;
    this.#length += piece.length;
    const place = lastDatum(this.#held);
    if (place === 0) return this.#length - this.#held.length;
    // What is beyond the place is looked at when more of it is there.
    const isCut = place === this.#held.length - MAX_DATA_CHARACTERS;
    if (this.#has(isCut ? this.#held : this.#held.slice(0, place))) return undefined;
    this.#held = this.#held.slice(place);
    return this.#length - this.#held.length;
  }

  end(): boolean {
    return !this.#has(this.#held);
  }

  #has(text: string): boolean {
    return this.#finders.some((find) => find(text));
  }
}

/** Where the last piece of a text begins that may be a datum, or go on to be one. */
function lastDatum(text: string): number {
  const least = Math.max(0, text.length - MAX_DATA_CHARACTERS);
  let begin = lastBlank(text, text.length) + 1;
  // A number may have blanks in it: so its groups before the last piece belong to it.
  while (begin > least) {
    const end = begin - 1;
    const previous = lastBlank(text, end) + 1;
    if (previous !== end && !isGroup(text.slice(previous, end))) break;
    if (text[end] !== " " && text[end] !== "\u00A0") break;
    begin = previous;
    if (previous === 0) break;
  }
  return Math.max(begin, least);
}

function lastBlank(text: string, before: number): number {
  let index = before - 1;
  while (index >= 0 && !/\s/.test(text[index] ?? "")) index -= 1;
  return index;
}

function isGroup(piece: string): boolean {
  if (piece.length > 40) return false;
  return (HAS_DIGIT.test(piece) && GROUP.test(piece)) || LETTERS_OF_ACCOUNT.test(piece);
}

function matches(text: string, pattern: RegExp): string[] {
  return HAS_DIGIT.test(text) ? [...text.matchAll(pattern)].map(([found]) => found) : [];
}

function hasPhone(text: string): boolean {
  if (!HAS_DIGIT.test(text)) return false;
  if (INTERNATIONAL.test(text)) return true;
  return matches(text, NATIONAL).some((found) => {
    const { length } = digitsOf(found);
    return (
      length >= MIN_PHONE_DIGITS && length <= MAX_PHONE_DIGITS && !INTERNET_ADDRESS.test(found)
    );
  });
}

function digitsOf(text: string): string {
  return text.replaceAll(/\D/g, "");
}

/** Luhn's check digit. */
function isCard(digits: string): boolean {
  if (/^(\d)\1*$/.test(digits)) return false;
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    const digit = Number(digits[digits.length - 1 - index]);
    const doubled = digit * 2;
    sum += index % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

function hasAccount(text: string): boolean {
  if (!HAS_DIGIT.test(text)) return false;
  return [...text.matchAll(ACCOUNT_BEGIN)].some(({ index }) => isAccount(text, index));
}

/** Whether a number of an account begins at the place, in one piece or in groups. */
function isAccount(text: string, begin: number): boolean {
  const length = ACCOUNT_LENGTHS.get(text.slice(begin, begin + 2).toUpperCase());
  if (length === undefined) return false;
  let account = "";
  let index = begin;
  for (; account.length < length && index < text.length; index += 1) {
    const character = text[index] ?? "";
    if (/[A-Za-z0-9]/.test(character)) account += character.toUpperCase();
    else if (!/[ \u00A0-]/.test(character) || !/[A-Za-z0-9]/.test(text[index + 1] ?? "")) break;
  }
  const goesOn = /[A-Za-z0-9]/.test(text[index] ?? "");
  return account.length === length && !goesOn && remainder(account) === 1;
}

/** Of ISO/IEC 7064, modulo 97. */
function remainder(account: string): number {
  let rest = 0;
  for (const character of account.slice(4) + account.slice(0, 4)) {
    for (const digit of String(Number.parseInt(character, 36))) {
      rest = (rest * 10 + Number(digit)) % 97;
    }
  }
  return rest;
}

/** By country, as in the registry of ISO 13616: two letters and the length. */
const ACCOUNT_LENGTHS = new Map(
  [
    ..."AD24AE23AL28AT20AZ28BA20BE16BG22BH22BR29BY28CH21CR22CY28CZ24DE22DK18DO28EE20EG29ES24FI18FO18FR27GB22GE22GI23GL18GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21MC27MD24ME22MK19MR27MT31MU30NL18NO15PK24PL28PS29PT25QA29RO24RS22SA24SC31SE24SI19SK24SM27ST25SV28TL23TN24TR26UA29VA22VG24XK20".matchAll(
      /([A-Z]{2})(\d{2})/g,
    ),
  ].map(([, country = "", length]): [string, number] => [country, Number(length)]),
);
