/** A piece of code, and what it is: a keyword, a string, … Undefined for all else. */
export interface CodeToken {
  readonly text: string;
  readonly kind: string | undefined;
}

export interface HighlightRequest {
  readonly id: number;
  readonly language: string;
  readonly code: string;
}

export interface HighlightAnswer {
  readonly id: number;
  readonly tokens: readonly CodeToken[];
}

/** In characters. More of it stays plain. */
const MAX_CODE_LENGTH = 65_536;

/** The languages that are coloured, by all names that people write behind a fence. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  bash: ["bash", "sh", "shell", "zsh", "console"],
  c: ["c", "h"],
  cpp: ["cpp", "c++", "cc", "hpp"],
  csharp: ["csharp", "cs", "c#"],
  css: ["css"],
  diff: ["diff", "patch"],
  go: ["go", "golang"],
  java: ["java"],
  javascript: ["javascript", "js", "jsx", "mjs"],
  json: ["json", "json5", "jsonc"],
  markdown: ["markdown", "md"],
  python: ["python", "py"],
  rust: ["rust", "rs"],
  sql: ["sql"],
  typescript: ["typescript", "ts", "tsx"],
  xml: ["xml", "html", "svg"],
  yaml: ["yaml", "yml"],
};

const LANGUAGE_OF = new Map(
  Object.entries(NAMES).flatMap(([language, names]) =>
    names.map((name) => [name, language] as const),
  ),
);

/** The language of a name behind a fence, or undefined for one that stays plain. */
export function languageOf(name: string): string | undefined {
  return LANGUAGE_OF.get(name);
}

export function isHighlighted(name: string, code: string): boolean {
  return LANGUAGE_OF.has(name) && code.length <= MAX_CODE_LENGTH;
}
