const REPLACEMENT = "[redacted]";

// Secrets that a provider, a store or a tool may quote in an error message.
const PATTERNS: readonly [RegExp, string][] = [
  // These are the user and password of a URL.
  [/\b([a-z][a-z\d+.-]*:\/\/)[^\s/@'"]*@/gi, `$1${REPLACEMENT}@`],
  [/\b(bearer|basic)([ .]+)[\w.~+/=-]{8,}/gi, `$1$2${REPLACEMENT}`],
  [
    /\b((?:x-)?(?:goog-)?api[-_]?key|key|token|access_token|password|secret)(["']?\s*[=:]\s*["']?)[^\s&"',;]{4,}/gi,
    `$1$2${REPLACEMENT}`,
  ],
  // These are keys of OpenAI, Anthropic and Google.
  [/\b(?:sk|rk|pk)-[\w*-]{8,}/g, REPLACEMENT],
  [/\bAIza[\w-]{20,}/g, REPLACEMENT],
  // These are JSON web tokens.
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, REPLACEMENT],
];

/** Replaces everything that looks like a key, a token or a password. This is a last resort: secrets must not be logged at all. */
export function withoutSecrets(text: string): string {
  let clean = text;
  for (const [pattern, replacement] of PATTERNS) clean = clean.replace(pattern, replacement);
  return clean;
}
