/** Reads which module imports which, from the text of the sources: enough for code in which every import is a plain statement. */
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { isTestFile, sourceFiles } from "./source-files.ts";

export interface Import {
  /** A path from the root of the repository for a module of ours, else the name of a package or of a module of Node. */
  readonly target: string;
  readonly line: number;
  readonly kind: "static" | "dynamic" | "type";
}

const STATEMENT =
  /^(?:import|export)\s(?<typeOnly>type\s)?(?:[^;"']*?\sfrom\s+)?"(?<static>[^"]+)"/gm;
const EXPRESSION = /(?<before>.{0,8})\bimport\(\s*"(?<dynamic>[^"]+)"\s*,?\s*\)(?<after>\.\w+|)/g;

export function importsOf(file: string, root: string): Import[] {
  const text = readFileSync(join(root, file), "utf8");
  const imports: Import[] = [];
  for (const match of text.matchAll(STATEMENT)) {
    const { typeOnly, static: specifier } = match.groups as Record<string, string | undefined>;
    if (specifier === undefined) continue;
    const kind = typeOnly === undefined ? "static" : "type";
    imports.push({ target: resolve(file, specifier), line: lineAt(text, match.index), kind });
  }
  for (const match of text.matchAll(EXPRESSION)) {
    const { before, dynamic: specifier, after } = match.groups as Record<string, string>;
    // `import("./x.ts").Type` names a type; a module is awaited, or goes on with `.then`.
    const isType = after !== "" && after !== ".then" && !(before ?? "").includes("await");
    const kind = isType ? "type" : "dynamic";
    imports.push({
      target: resolve(file, specifier as string),
      line: lineAt(text, match.index),
      kind,
    });
  }
  return imports;
}

/** What is loaded with a module, before anything is imported dynamically: files of ours, and names of packages. */
export function loadedWith(entry: string, root: string): Set<string> {
  const loaded = new Set<string>();
  const waiting = [entry];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (loaded.has(file)) continue;
    loaded.add(file);
    if (!/\.tsx?$/.test(file)) continue;
    for (const { kind, target } of importsOf(file, root))
      if (kind === "static") waiting.push(target);
  }
  return loaded;
}

/** `src/api/provider.ts` → `api`; `src/agent-config/agent-config.ts` → `agent-config`; anything outside of src → undefined. */
export function partOf(file: string): string | undefined {
  return /^src\/([^/]+?)(?:\.ts)?(?:\/|$)/.exec(file)?.[1];
}

/** Everything that runs; the tests beside it, and what says how it is built, may import what they need. */
export function programFiles(root: string): string[] {
  return sourceFiles(root).filter(
    (file) =>
      /^(bin|src)\/.*\.tsx?$/.test(file) && !isTestFile(file) && !file.endsWith(".config.ts"),
  );
}

function resolve(file: string, specifier: string): string {
  if (specifier.startsWith(".")) return relative(".", join(dirname(file), specifier));
  const parts = specifier.split("/");
  return specifier.startsWith("@")
    ? parts.slice(0, 2).join("/")
    : specifier.startsWith("node:")
      ? specifier
      : (parts[0] as string);
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}
