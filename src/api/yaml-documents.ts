/** YAML text → documents whose every value knows its place. JSON is YAML, so it is read too. */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type ScalarTag,
  type CollectionTag,
  type YAMLError,
} from "yaml";
import type { FieldPath } from "./field-problems.ts";

export interface Position {
  /** From 1, as editors count. */
  readonly line: number;
  readonly column: number;
}

export interface YAMLProblem extends Position {
  severity: "error" | "warning";
  message: string;
}

export interface YAMLDocument {
  /** `undefined` when the text is so broken that its value would mislead. */
  value: unknown;
  problems: YAMLProblem[];
  /** Of the value at `path`, else of the nearest thing around it. */
  positionOf(path: FieldPath): Position;
  /** Of the name of the field at `path`. */
  keyPositionOf(path: FieldPath): Position;
}

/** How often aliases may be followed in one document, with what they lead to. */
const MAX_ALIAS_COUNT = 100;

const TAG_PREFIX = "tag:yaml.org,2002:";
const KNOWN_TAGS = new Set(["map", "seq", "str", "null", "bool", "int", "float", "merge"]);

/**
 * YAML 1.1 as Kubernetes' own tools read it (`yes` and `on` are booleans, `0777` is octal), so that a file means the
 * same here and there; but times of day and dates stay strings, as they do there.
 */
function tagsOfKubernetes<T extends ScalarTag | CollectionTag | string>(tags: T[]): T[] {
  return tags.filter((tag) => {
    if (typeof tag === "string") return false;
    return KNOWN_TAGS.has(tag.tag.replace(TAG_PREFIX, "")) && tag.format !== "TIME";
  });
}

/** Documents that hold nothing are left out. `undefined`: there are more than `maxDocuments`. */
export function parseYAMLDocuments(text: string, maxDocuments: number): YAMLDocument[] | undefined {
  const parts = splitDocuments(text);
  if (parts.length > maxDocuments) return undefined;
  return parts.flatMap(({ text: part, linesBefore }) => {
    const lines = new LineCounter();
    const documents = parseAllDocuments(part, {
      version: "1.1",
      customTags: tagsOfKubernetes,
      stringKeys: true,
      prettyErrors: false,
      logLevel: "silent",
      lineCounter: lines,
    });
    const at = (offset: number): Position => {
      const { line, col } = lines.linePos(offset);
      return { line: linesBefore + Math.max(1, line), column: Math.max(1, col) };
    };
    return [...documents]
      .filter((document) => document.contents !== null || document.errors.length > 0)
      .map((document) => readDocument(document, at))
      .filter(({ value, problems }) => problems.length > 0 || value !== null);
  });
}

/**
 * Cut at every line `---`, as kubectl cuts: then an open quote or bracket ends with its document and takes no other
 * along.
 */
function splitDocuments(text: string): { text: string; linesBefore: number }[] {
  const starts = [0, ...[...text.matchAll(/^---(?=\s|$)/gm)].map(({ index }) => index)];
  let linesBefore = 0;
  return starts.map((start, index) => {
    const part = { text: text.slice(start, starts[index + 1]), linesBefore };
    linesBefore += part.text.split("\n").length - 1;
    return part;
  });
}

function readDocument(document: Document.Parsed, at: (offset: number) => Position): YAMLDocument {
  const start = at(document.contents?.range[0] ?? document.range[0]);
  const problems: YAMLProblem[] = [
    ...document.errors.map((error) => describe(error, "error" as const)),
    ...document.warnings.map((warning) => describe(warning, "warning" as const)),
  ];
  function describe(error: YAMLError, severity: "error" | "warning"): YAMLProblem {
    return { ...at(error.pos[0]), severity, message: describeError(error) };
  }

  // A key that is there twice leaves the rest of the document readable; other errors do not.
  let value: unknown;
  if (document.errors.every(({ code }) => code === "DUPLICATE_KEY")) {
    try {
      value = document.toJS({ maxAliasCount: MAX_ALIAS_COUNT });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      problems.push({ ...start, severity: "error", message: describeExpansionError(error) });
    }
  }

  function locate(path: FieldPath): { key: Position; value: Position } {
    let node: unknown = document.contents;
    let found = { key: start, value: start };
    for (const step of path) {
      if (isAlias(node)) node = node.resolve(document);
      let key: Node | undefined;
      if (isMap(node)) {
        const pair = node.items.find((item) => isScalar(item.key) && item.key.value === step);
        if (pair === undefined) break;
        key = isNode(pair.key) ? pair.key : undefined;
        node = pair.value;
      } else if (isSeq(node) && typeof step === "number" && step < node.items.length) {
        node = node.items[step];
      } else break;
      const valueOffset = isNode(node) ? node.range?.[0] : undefined;
      const keyOffset = key?.range?.[0] ?? valueOffset;
      if (keyOffset === undefined) break;
      // The place of a mapping or list is its name: where it begins is another line.
      const byName = key !== undefined && (isMap(node) || isSeq(node));
      const value = at(byName || valueOffset === undefined ? keyOffset : valueOffset);
      found = { key: at(keyOffset), value };
    }
    return found;
  }

  return {
    value,
    problems,
    positionOf: (path) => locate(path).value,
    keyPositionOf: (path) => locate(path).key,
  };
}

const MESSAGES: { [Code in YAMLError["code"]]?: string } = {
  TAB_AS_INDENT: "a tab in the indentation; YAML allows only spaces there",
  DUPLICATE_KEY: "this field is there twice; remove one of the two",
  TAG_RESOLVE_FAILED: "this tag is unknown and ignored",
  RESOURCE_EXHAUSTION: "nested too deeply",
};

function describeError({ code, message }: YAMLError): string {
  const known = MESSAGES[code];
  if (known !== undefined) return known;
  // What follows the colon is text of the file, which may be a secret.
  const [what = ""] = message.split(": ", 1);
  return `not valid YAML: ${what.charAt(0).toLowerCase()}${what.slice(1)}`;
}

/** Of aliases and merges, which are followed when a document is turned into a value. */
function describeExpansionError({ message }: Error): string {
  if (message.startsWith("Unresolved alias")) {
    return "an alias (*name) needs its anchor (&name) before it";
  }
  if (message.startsWith("Merge sources")) {
    return "a merge (<<) needs a mapping, or an alias of one";
  }
  return "aliases expand to too much; write the values out";
}
