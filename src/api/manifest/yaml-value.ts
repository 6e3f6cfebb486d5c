/**
 * Turns the nodes of a document into its value. Here repeated names, aliases and merges are judged, and the names of fields are
 * read as kubectl reads them.
 */
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Pair,
  Scalar,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { plainKey } from "./kubectl-scalars.ts";
import { BYTE_ORDER_MARK } from "./text-positions.ts";

export interface ValueProblem {
  /** `undefined` stands for the beginning of the document. */
  readonly offset: number | undefined;
  readonly severity: "error" | "warning";
  readonly message: string;
}

export interface ConvertedDocument {
  /** `undefined` when it would mislead. */
  readonly value: unknown;
  readonly problems: readonly ValueProblem[];
  /** What each alias stands for. */
  readonly targets: ReadonlyMap<Alias, unknown>;
}

/** Deeper values are refused. Those who walk through a value may take a call for each level. */
export const MAX_DEPTH = 500;
/** How many values all aliases of a document may stand for, counting the aliases inside of what they stand for. */
export const MAX_ALIASED_VALUES = 20_000;

const REPEATED_KEY = "this field is there twice; remove one of the two";
const ENDLESS_ALIAS =
  "an alias (*name) stands inside of its own anchor (&name); write the value out";
const UNKNOWN_ALIAS = "an alias (*name) needs its anchor (&name) before it";
const TOO_MUCH_ALIASED = "aliases expand to too much; write the values out";
const TOO_DEEP = "nested too deeply";
const NO_MERGE = "a merge (<<) needs a mapping, or an alias of one";
const LATE_MERGE =
  "kubectl lets this merge (<<) replace fields before it; write the merge before all other fields";
const MARKED_KEY =
  "the name of this field begins with a byte order mark, which no editor shows; remove it";
const REFUSED_KEY = "kubectl takes no such name of a field; put it in quotes";

/** One value with its size and depth, as if each alias in it were written out. */
interface Converted {
  readonly value: unknown;
  readonly size: number;
  readonly depth: number;
}

interface Anchored {
  readonly node: unknown;
  /** Absent for as long as the value is being read. */
  converted?: Converted;
}

/** The document must have no errors of syntax. */
export function convertDocument(
  document: Document.Parsed,
  readsKeysAsKubectl: boolean,
): ConvertedDocument {
  const converter = new Converter(readsKeysAsKubectl);
  const { problems, targets } = converter;
  try {
    const { value } = converter.convert(document.contents, 0);
    return { value: converter.isBroken ? undefined : value, problems, targets };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    problems.push({ offset: error.offset, severity: "error", message: error.message });
    return { value: undefined, problems, targets };
  }
}

/** Nothing of the document can be used. */
class Refusal extends Error {
  readonly offset: number | undefined;

  constructor(message: string, offset?: number) {
    super(message);
    this.offset = offset;
  }
}

class Converter {
  readonly problems: ValueProblem[] = [];
  readonly targets = new Map<Alias, unknown>();
  isBroken = false;
  readonly #readsKeysAsKubectl: boolean;
  /** An alias stands for the latest anchor of its name so far. */
  readonly #anchors = new Map<string, Anchored>();
  #aliased = 0;

  constructor(readsKeysAsKubectl: boolean) {
    this.#readsKeysAsKubectl = readsKeysAsKubectl;
  }

  convert(node: unknown, depth: number): Converted {
    if (depth > MAX_DEPTH) throw new Refusal(TOO_DEEP, offsetOf(node));
    if (isAlias(node)) return this.#follow(node, depth);
    const anchored: Anchored = { node };
    // A field without a value has no node.
    const anchor = (node as { anchor?: string } | null)?.anchor;
    if (anchor !== undefined) this.#anchors.set(anchor, anchored);
    const converted = this.#convertNode(node, depth);
    anchored.converted = converted;
    return converted;
  }

  #convertNode(node: unknown, depth: number): Converted {
    if (isMap(node)) return this.#convertMap(node, depth);
    if (isSeq(node)) return this.#convertList(node, depth);
    return { value: isScalar(node) ? node.value : null, size: 1, depth: 0 };
  }

  #convertList(list: YAMLSeq, depth: number): Converted {
    const items = list.items.map((item) => this.convert(item, depth + 1));
    return { value: items.map(({ value }) => value), ...sum(items) };
  }

  #convertMap(map: YAMLMap, depth: number): Converted {
    const value: Record<string, unknown> = {};
    const parts: Converted[] = [];
    const seen = new Set<string>();
    for (const pair of map.items) {
      const { key } = pair;
      if (isMerge(pair)) {
        parts.push(this.#merge(pair, value, seen, depth));
        continue;
      }
      if (isScalar(key)) {
        if (this.#readsKeysAsKubectl) this.#readKey(key);
        // An anchor of a name counts too.
        this.convert(key, depth);
      }
      const name = isScalar(key) ? String(key.value) : "";
      if (seen.has(name)) this.#report(offsetOf(key), REPEATED_KEY);
      seen.add(name);
      const converted = this.convert(pair.value, depth + 1);
      parts.push(converted);
      setField(value, name, converted.value);
    }
    return { value, ...sum(parts) };
  }

  /** Fields that are written out in `map` win over merged ones, and the first of several merged ones wins. */
  #merge(pair: Pair, into: Record<string, unknown>, seen: Set<string>, depth: number): Converted {
    const sources = isSeq(pair.value) ? pair.value.items : [pair.value];
    const parts = sources.map((source) => {
      const target = isAlias(source) ? this.#anchors.get(source.source)?.node : source;
      const converted = this.convert(source, depth + 1);
      if (!isMap(target)) throw new Refusal(NO_MERGE);
      return converted;
    });
    for (const { value } of parts) {
      for (const [name, field] of Object.entries(value as object)) {
        if (seen.has(name) && this.#readsKeysAsKubectl) {
          this.#report(offsetOf(pair.key), LATE_MERGE);
        } else if (!Object.hasOwn(into, name)) setField(into, name, field);
      }
    }
    return { value: undefined, ...sum(parts) };
  }

  #follow(alias: Alias, depth: number): Converted {
    const anchored = this.#anchors.get(alias.source);
    if (anchored === undefined) throw new Refusal(UNKNOWN_ALIAS);
    if (anchored.converted === undefined) {
      this.#report(offsetOf(alias), ENDLESS_ALIAS);
      this.isBroken = true;
      return { value: null, size: 1, depth: 0 };
    }
    this.targets.set(alias, anchored.node);
    this.#aliased += anchored.converted.size;
    if (this.#aliased > MAX_ALIASED_VALUES) throw new Refusal(TOO_MUCH_ALIASED);
    if (depth + anchored.converted.depth > MAX_DEPTH) throw new Refusal(TOO_DEEP, offsetOf(alias));
    return anchored.converted;
  }

  #readKey(key: Scalar): void {
    const written = String(key.value);
    const offset = offsetOf(key);
    if (written.startsWith(BYTE_ORDER_MARK)) this.#report(offset, MARKED_KEY);
    if (key.type !== Scalar.PLAIN || key.tag !== undefined) return;
    const name = plainKey(written);
    if (name === undefined) this.#report(offset, REFUSED_KEY);
    else if (name !== written) {
      const message = `kubectl reads the name of this field as "${name}"; put it in quotes`;
      this.#report(offset, message, "warning");
      key.value = name;
    }
  }

  #report(
    offset: number | undefined,
    message: string,
    severity: ValueProblem["severity"] = "error",
  ): void {
    this.problems.push({ offset, severity, message });
  }
}

function sum(parts: readonly Converted[]): { size: number; depth: number } {
  let size = 1;
  let depth = 0;
  for (const part of parts) {
    size += part.size;
    depth = Math.max(depth, part.depth + 1);
  }
  return { size, depth };
}

function isMerge({ key }: Pair): boolean {
  return isScalar(key) && key.type === Scalar.PLAIN && key.value === "<<" && key.tag === undefined;
}

function offsetOf(node: unknown): number | undefined {
  return (node as { range?: readonly number[] | null } | null)?.range?.[0];
}

/** The name `__proto__` is a field like any other. */
function setField(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== "__proto__") object[name] = value;
  else {
    const field = { value, writable: true, enumerable: true, configurable: true };
    Object.defineProperty(object, name, field);
  }
}
