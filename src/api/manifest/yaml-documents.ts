/** Reads YAML into documents that know the place of each value. JSON is read too, because it is YAML. */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  type ScalarTag,
  type CollectionTag,
  visit,
  type YAMLError,
  type YAMLMap,
} from "yaml";
import type { FieldPath } from "../fields/problems.ts";

export interface Position {
  /** Counted from 1, as editors do. */
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
  /** The position of the value at `path`, or else of the nearest thing around it. */
  positionOf(path: FieldPath): Position;
  /** The position of the name of the field at `path`. */
  keyPositionOf(path: FieldPath): Position;
}

/** How often aliases may be followed in one document, counting the aliases inside of what they stand for. */
const MAX_ALIAS_COUNT = 100;

const TAG_PREFIX = "tag:yaml.org,2002:";
const KNOWN_TAGS = new Set(["map", "seq", "str", "null", "bool", "int", "float", "merge"]);

/**
 * YAML 1.1 as Kubernetes' own tools read it, so that a file means the same for both: `yes` and `on` are booleans, `0777` is
 * octal, and times of day and dates stay strings.
 */
function tagsOfKubernetes(
  tags: (ScalarTag | CollectionTag | string)[],
): (ScalarTag | CollectionTag)[] {
  return tags.flatMap((tag) => {
    if (typeof tag === "string" || tag.format === "TIME") return [];
    if (!KNOWN_TAGS.has(tag.tag.replace(TAG_PREFIX, ""))) return [];
    return tag.format === "EXP" ? [orText(tag as ScalarTag)] : [tag];
  });
}

/** A number that is too great, like the hash 123e456, counts as text. */
function orText(tag: ScalarTag): ScalarTag {
  return {
    ...tag,
    resolve(text, ...rest) {
      const value = tag.resolve(text, ...rest);
      return Number.isFinite(value) ? value : text;
    },
  };
}

/** Leaves out documents that hold nothing. Returns `undefined` when there are more than `maxDocuments`. */
export function parseYAMLDocuments(text: string, maxDocuments: number): YAMLDocument[] | undefined {
  const parts = splitDocuments(text);
  if (parts.length > maxDocuments) return undefined;
  return parts.flatMap(({ text: part, linesBefore }) => {
    const lines = new LineCounter();
    const documents = parseAllDocuments(part, {
      version: "1.1",
      customTags: tagsOfKubernetes,
      stringKeys: true,
      // The parser would compare every key with every other. `findFaults` looks for repeated keys instead.
      uniqueKeys: false,
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
 * The text is cut at every line `---`, as kubectl does. So a quote or bracket that is never closed spoils only its own
 * document.
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
  const faults = findFaults(document);
  const problems: YAMLProblem[] = [
    ...firstErrors(document.errors).map((error) => describe(error, "error" as const)),
    ...document.warnings.map((warning) => describe(warning, "warning" as const)),
    ...faults.repeatedKeys.map((offset) => problemAt(offset, REPEATED_KEY)),
    ...faults.endlessAliases.map((offset) => problemAt(offset, ENDLESS_ALIAS)),
  ];
  function describe(error: YAMLError, severity: "error" | "warning"): YAMLProblem {
    return { ...at(error.pos[0]), severity, message: describeError(error) };
  }
  function problemAt(offset: number, message: string): YAMLProblem {
    return { ...at(offset), severity: "error", message };
  }

  // A repeated key leaves the rest of the document readable. Other errors do not.
  let value: unknown;
  if (document.errors.length === 0 && faults.endlessAliases.length === 0) {
    try {
      value = document.toJS({ maxAliasCount: MAX_ALIAS_COUNT });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      problems.push({ ...start, severity: "error", message: describeExpansionError(error) });
    }
  }

  const pairs = new WeakMap<YAMLMap, ReadonlyMap<unknown, Pair>>();
  function pairOf(map: YAMLMap, name: string | number): Pair | undefined {
    let byName = pairs.get(map);
    if (byName === undefined) {
      byName = new Map(map.items.map((pair) => [isScalar(pair.key) ? pair.key.value : pair, pair]));
      pairs.set(map, byName);
    }
    return byName.get(name);
  }

  function locate(path: FieldPath): { key: Position; value: Position } {
    let node: unknown = document.contents;
    let found = { key: start, value: start };
    for (const step of path) {
      if (isAlias(node)) node = node.resolve(document);
      let key: Node | undefined;
      if (isMap(node)) {
        const pair = pairOf(node, step);
        if (pair === undefined) break;
        key = isNode(pair.key) ? pair.key : undefined;
        node = pair.value;
      } else if (isSeq(node) && typeof step === "number" && step < node.items.length) {
        node = node.items[step];
      } else break;
      const valueOffset = isNode(node) ? node.range?.[0] : undefined;
      const keyOffset = key?.range?.[0] ?? valueOffset;
      if (keyOffset === undefined) break;
      // A mapping or list has the place of its name, because it often begins on a later line.
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

/** Finds the faults that the parser lets pass: repeated keys, and aliases inside of what they stand for. */
function findFaults(document: Document.Parsed): {
  repeatedKeys: number[];
  endlessAliases: number[];
} {
  const repeatedKeys: number[] = [];
  const endlessAliases: number[] = [];
  // The visit follows the order of the text, so an alias stands for the latest anchor of its name so far.
  const anchored = new Map<string, unknown>();
  visit(document, {
    Map(_, map) {
      if (map.anchor !== undefined) anchored.set(map.anchor, map);
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) repeatedKeys.push(key.range?.[0] ?? 0);
        seen.add(key.value);
      }
    },
    Seq(_, list) {
      if (list.anchor !== undefined) anchored.set(list.anchor, list);
    },
    Alias(_, alias, ancestors: readonly unknown[]) {
      const target = anchored.get(alias.source);
      if (target !== undefined && ancestors.includes(target)) {
        endlessAliases.push(alias.range?.[0] ?? 0);
      }
    },
  });
  return { repeatedKeys, endlessAliases };
}

/** Keeps one error for each place, and only the first unexpected token, because later ones only follow from it. */
function firstErrors(errors: readonly YAMLError[]): YAMLError[] {
  const places = new Set<number>();
  let unexpected = false;
  return errors.filter(({ code, pos: [start] }) => {
    if (places.has(start) || (code === "UNEXPECTED_TOKEN" && unexpected)) return false;
    unexpected ||= code === "UNEXPECTED_TOKEN";
    places.add(start);
    return true;
  });
}

const REPEATED_KEY = "this field is there twice; remove one of the two";
const ENDLESS_ALIAS =
  "an alias (*name) stands inside of its own anchor (&name); write the value out";

const MESSAGES: { [Code in YAMLError["code"]]?: string } = {
  TAB_AS_INDENT: "a tab in the indentation; YAML allows only spaces there",
  TAG_RESOLVE_FAILED: "this tag is unknown and ignored",
  RESOURCE_EXHAUSTION: "nested too deeply",
  BLOCK_IN_FLOW: 'a "," or a closing bracket is missing at this place or before it',
  MULTILINE_IMPLICIT_KEY:
    'a "," or ":" is missing, or the indentation is wrong, here or in the next line',
  NON_STRING_KEY: "the name of a field must be a text; a template ({{ }}) must be rendered first",
};

function describeError({ code, message }: YAMLError): string {
  const known = MESSAGES[code];
  if (known !== undefined) return known;
  if (message.endsWith(" at node end")) {
    return 'something stands behind the end of a value; a second document begins after a line "---"';
  }
  if (message.startsWith("Nested mappings")) {
    return 'a ": " inside of a value; correct the indentation, or put the value in quotes';
  }
  if (message.startsWith("Implicit map keys need")) {
    return 'a field without ":"; write it as "name: value"';
  }
  if (message.startsWith("Missing , or :")) return 'a "," or ":" is missing between two fields';
  // The text after the colon comes from the file, and may be a secret.
  const [what = ""] = message.split(": ", 1);
  return `not valid YAML: ${what.charAt(0).toLowerCase()}${what.slice(1)}`;
}

/** Describes errors in aliases and merges, which are followed when a document is turned into a value. */
function describeExpansionError({ message }: Error): string {
  if (message.startsWith("Unresolved alias")) {
    return "an alias (*name) needs its anchor (&name) before it";
  }
  if (message.startsWith("Merge sources")) {
    return "a merge (<<) needs a mapping, or an alias of one";
  }
  return "aliases expand to too much; write the values out";
}
