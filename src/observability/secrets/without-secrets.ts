/** Takes out of a text what has the form of a secret: for the secrets whose values are not known here. */
import { REDACTED } from "./secret-values.ts";

const QUOTE = String.raw`(?:\\*["']|%2[27])?`;
const ASSIGNED = String.raw`${QUOTE}\s*(?:[=:]|%3[ad])\s*${QUOTE}`;
/** A backslash before a quote belongs to the quote, which ends the value. */
const VALUE = String.raw`(?:[^\s&"',;\\]|\\+(?!["'\\]))`;
/** A word begins behind an encoded character, too. */
const START = String.raw`(?:\b|(?<=%[\da-f]{2}))`;
const NAME = String.raw`${START}(?:(?:x-)?(?:goog-)?api[-_]?key|(?:[\w-]{1,32}[-_])?(?:key|token|password|secret))`;
const AUTHORIZATION = String.raw`${START}(?:bearer|basic)(?:[ .]+|%20|\+)`;
const SCHEME_END = String.raw`:(?:\\*\/){2}`;
const ENCODED_SCHEME_END = "%3a%2f%2f";
/** Looked for backwards from the end of it, of which there are few in a text. */
const SCHEME = String.raw`[a-z][a-z\d+.-]{0,31}`;

// Secrets that a provider, a store or a tool may quote in an error message.
const FORMS: readonly [RegExp, string][] = [
  // These are the user and password of a URL.
  [new RegExp(String.raw`(?<=${SCHEME}${SCHEME_END})[^\s/@'"]{0,1024}@`, "gi"), `${REDACTED}@`],
  [
    new RegExp(String.raw`(?<=${SCHEME}${ENCODED_SCHEME_END})[^\s/@'"]{0,1024}?%40`, "gi"),
    `${REDACTED}%40`,
  ],
  [new RegExp(String.raw`(${AUTHORIZATION})[\w.~+/=%-]{8,}`, "gi"), `$1${REDACTED}`],
  [new RegExp(String.raw`(${NAME}${ASSIGNED})${VALUE}{4,}`, "gi"), `$1${REDACTED}`],
  // These are keys of OpenAI, Anthropic and Google.
  [/\b(?:sk|rk|pk)-[\w*-]{8,}/g, REDACTED],
  [/\bAIza[\w-]{20,}/g, REDACTED],
  // These are JSON web tokens.
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, REDACTED],
];

const BASE64 = /[A-Za-z\d+/_-]{16,}={0,2}/g;

/** Replaces everything that looks like a key, a token or a password. This is a last resort: secrets must not be logged at all. */
export function withoutSecrets(text: string): string {
  let clean = text;
  for (const [form, replacement] of FORMS) clean = clean.replace(form, replacement);
  return clean.replace(BASE64, (encoded) => (hidesSecret(encoded) ? REDACTED : encoded));
}

/** A text may begin in the middle of what was encoded, so that the first one to three characters are of no use. */
function hidesSecret(encoded: string): boolean {
  return [0, 1, 2, 3].some((start) => {
    const text = Buffer.from(encoded.slice(start), "base64").toString("latin1");
    return FORMS.some(([form]) => text.search(form) >= 0);
  });
}

/** By these a secret is known before it is there as a whole. */
const BEGINNINGS = new RegExp(
  [
    SCHEME_END,
    ENCODED_SCHEME_END,
    AUTHORIZATION,
    `${NAME}${ASSIGNED}`,
    String.raw`\b(?:sk|rk|pk)-`,
    String.raw`\bAIza`,
    String.raw`\beyJ`,
  ].join("|"),
  "i",
);
/** Longer than any of the beginnings, and as long as a name with what follows it. */
const BEGINNING_LENGTH = 96;

/**
 * The same of a text that was cut off behind its end. What stands there may be all of a secret but its last character, and then has
 * not the form of one yet: from its beginning on it is dropped.
 */
export function withoutSecretsOfCut(text: string): string {
  let start = text.length;
  while (start > 0 && !/[\s"'&,;]/.test(text.charAt(start - 1))) start -= 1;
  const last = text.slice(start);
  const before = text.slice(Math.max(0, start - BEGINNING_LENGTH), start);
  const begun = BEGINNINGS.exec(last);
  if (begun !== null) return withoutSecrets(text.slice(0, start + begun.index));
  const opens = new RegExp(`(?:${BEGINNINGS.source})$`, "i").test(before);
  return withoutSecrets(opens || isBegunInBase64(last) ? text.slice(0, start) : text);
}

function isBegunInBase64(encoded: string): boolean {
  return [0, 1, 2, 3].some((start) =>
    BEGINNINGS.test(Buffer.from(encoded.slice(start), "base64").toString("latin1")),
  );
}

/**
 * The same of a text that was cut off before its beginning, as a kubelet keeps the last of what a container said. The end of a secret
 * has no form, so the first word is dropped.
 */
export function withoutCutWord(text: string): string {
  return text.replace(/^[^\s"']*[ \t]*/, "");
}
