/** The fenced blocks of the documentation: what people copy from it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sourceFiles } from "./source-files.ts";

export interface Snippet {
  readonly file: string;
  readonly line: number;
  /** What follows the fence: `sh`, `yaml`, …, or nothing. */
  readonly language: string;
  /** Of the comment before it, `<!-- tested as: NAME -->`. */
  readonly name: string | undefined;
  readonly text: string;
}

const NAME = /^<!-- tested as: ([a-z-]+) -->$/;

export function documents(root: string): string[] {
  return sourceFiles(root).filter((file) =>
    /^(README|CONTRIBUTING|SECURITY)\.md$|^(docs|examples)\/.*\.md$/.test(file),
  );
}

export function snippets(root: string): Snippet[] {
  return documents(root).flatMap((file) =>
    snippetsOf(file, readFileSync(join(root, file), "utf8")),
  );
}

export function snippetsOf(file: string, text: string): Snippet[] {
  const found: Snippet[] = [];
  const lines = text.split("\n");
  for (let index = 0; index < lines.length; index++) {
    const language = /^```(\S*)/.exec(lines[index] ?? "")?.[1];
    if (language === undefined) continue;
    const end = lines.indexOf("```", index);
    if (end === -1) throw new Error(`${file}:${index + 1}: the block has no end`);
    found.push({
      file,
      line: index + 1,
      language,
      name: NAME.exec(lines[index - 1] ?? "")?.[1],
      text: lines.slice(index + 1, end).join("\n") + "\n",
    });
    index = end;
  }
  return found;
}
