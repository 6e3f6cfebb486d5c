/** Moves the fields of a YAML mapping to other places, with the comments that stand at them. */
import {
  Document,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Pair,
  Scalar,
  YAMLMap,
  type YAMLSeq,
} from "yaml";
import { type FieldPath, formatPath } from "../fields/problems.ts";

/** Longer values are cut in a comment. The file that they come from is left as it is. */
const MAX_QUOTED = 200;

/** Something that did not become a field, and why. */
export interface Remainder {
  /** The field, from the resource. */
  readonly field: string;
  readonly why: string;
  /** True when somebody has to fill something in, or else the agent does not start. */
  readonly isNeeded: boolean;
}

/** The index in the mapping that is so deep in the spec. */
interface Place {
  readonly depth: number;
  readonly index: number;
}

export class SpecEditor {
  readonly remainders: Remainder[] = [];
  readonly #spec: YAMLMap;
  readonly #comments: string[] = [];

  /** `spec` is changed in place. There must be no alias in it. */
  constructor(spec: YAMLMap) {
    this.#spec = spec;
  }

  /** The value at a path, as JSON has it. `undefined` when there is none, or an empty one. */
  get(...path: FieldPath): unknown {
    const node = this.#nodeAt(path);
    const value: unknown = isNode(node) ? node.toJSON() : node;
    return value ?? undefined;
  }

  text(...path: FieldPath): string | undefined {
    const value = this.get(...path);
    return typeof value === "string" && value !== "" ? value : undefined;
  }

  /** How many items a list has; 0 for what is no list. */
  count(...path: FieldPath): number {
    const node = this.#nodeAt(path);
    return isSeq(node) ? node.items.length : 0;
  }

  /** Puts a value, or a node of another document, at a path. What is there already goes. */
  set(path: FieldPath, value: unknown, comment?: string): void {
    const pair = this.#put(path, isNode(value) ? value : nodeOf(value));
    if (comment !== undefined && isNode(pair.key)) pair.key.commentBefore = ` ${comment}`;
  }

  /**
   * Moves a field. Where the place is taken already, the field becomes a comment. `convert` gives the new value; with `undefined`
   * for the answer it becomes a comment too, with the reason `otherwise`.
   */
  move(
    from: FieldPath,
    to: FieldPath,
    {
      convert,
      otherwise = "it has no counterpart",
    }: { convert?: (value: unknown) => unknown; otherwise?: string } = {},
  ): void {
    if (this.get(...from) === undefined) {
      this.remove(from);
      return;
    }
    if (this.get(...to) !== undefined) {
      this.toComment(from, `${formatPath(["spec", ...to])} is set already`);
      return;
    }
    const value = this.get(...from);
    const converted = convert === undefined ? value : convert(value);
    if (converted === undefined) {
      this.toComment(from, otherwise);
      return;
    }
    const before = this.#placeOf(from, to);
    const pair = this.#take(from);
    // Where the mapping around it is left, it comes to stand behind it.
    const after = this.#placeOf(from, to);
    const place = after === undefined ? before : { ...after, index: after.index + 1 };
    if (pair === undefined) return;
    const moved = converted === value && isNode(pair.value) ? pair.value : nodeOf(converted);
    if (moved !== pair.value && isNode(pair.value)) moved.comment = pair.value.comment ?? null;
    const put = this.#put(to, moved, place);
    if (isNode(pair.key) && isNode(put.key)) {
      put.key.commentBefore = pair.key.commentBefore ?? put.key.commentBefore ?? null;
      put.key.spaceBefore = pair.key.spaceBefore ?? false;
    }
  }

  /** Takes a field out, with what it holds, and keeps it as a comment. */
  toComment(path: FieldPath, why: string, isNeeded = false): void {
    const value = this.get(...path);
    const pair = this.#take(path);
    if (pair === undefined || value === undefined) return;
    const field = formatPath(["spec", ...path]);
    this.remark(field, why, isNeeded, `${field}: ${quote(value)} — ${why}`);
    this.#keepComment(pair);
  }

  remark(field: string, why: string, isNeeded = false, comment = `${field}: ${why}`): void {
    this.remainders.push({ field, why, isNeeded });
    this.#comments.push(inComment(comment));
  }

  /** Takes a field out without a word. What the user wrote above it stays. */
  remove(path: FieldPath): void {
    this.#keepComment(this.#take(path));
  }

  #keepComment(pair: Pair | undefined): void {
    const written = isNode(pair?.key) ? pair.key.commentBefore : undefined;
    if (typeof written !== "string") return;
    this.#comments.push(...written.split("\n").map((line) => line.trim()));
  }

  /** Writes the comments above the first field, and lines up what was written in one line. */
  finish(): void {
    if (this.#comments.length > 0) {
      const before = this.#spec.commentBefore;
      const lines = this.#comments.map((line) => ` ${line}`);
      this.#spec.commentBefore = [...(before == null ? [] : [before.trimEnd()]), ...lines].join(
        "\n",
      );
    }
    unfold(this.#spec);
  }

  #nodeAt(path: FieldPath): unknown {
    let node: unknown = this.#spec;
    for (const step of path) {
      if (isMap(node)) node = node.get(step, true);
      else if (isSeq(node) && typeof step === "number") node = node.items[step];
      else return undefined;
    }
    return node;
  }

  /** What is moved comes to stand where it stood, as far down as the two paths are the same. */
  #placeOf(from: FieldPath, to: FieldPath): Place | undefined {
    const depth = from.findIndex((step, index) => step !== to[index]);
    const map = this.#nodeAt(from.slice(0, depth));
    if (depth < 0 || !isMap(map)) return undefined;
    const index = map.items.findIndex((pair) => keyOf(pair) === from[depth]);
    return index < 0 ? undefined : { depth, index };
  }

  /** Takes a field out, and the mappings around it that it leaves empty. */
  #take(path: FieldPath): Pair | undefined {
    const [last] = path.slice(-1);
    const parent = path.slice(0, -1);
    const node = this.#nodeAt(parent);
    let taken: Pair | undefined;
    if (isMap(node)) {
      const index = node.items.findIndex((pair) => keyOf(pair) === last);
      if (index < 0) return undefined;
      [taken] = node.items.splice(index, 1);
      // The comment above the first field of a mapping belongs to the mapping.
      if (index === 0 && node !== this.#spec && typeof node.commentBefore === "string") {
        if (isNode(taken?.key)) taken.key.commentBefore ??= node.commentBefore;
        node.commentBefore = null;
      }
    } else if (isSeq(node) && typeof last === "number") {
      const [item] = node.items.splice(last, 1);
      taken = item === undefined ? undefined : new Pair(new Scalar(last), item);
    }
    const isEmpty = isMap(node) && node.items.length === 0;
    if (isEmpty && parent.length > 0 && typeof parent.at(-1) === "string") {
      const around = this.#take(parent);
      const written = isNode(around?.key) ? around.key.commentBefore : undefined;
      if (typeof written === "string" && isNode(taken?.key)) {
        const { commentBefore } = taken.key;
        taken.key.commentBefore = [written, ...(commentBefore == null ? [] : [commentBefore])].join(
          "\n",
        );
      }
    }
    return taken;
  }

  #put(path: FieldPath, node: unknown, place?: Place): Pair {
    const indexAt = (depth: number): number | undefined =>
      place?.depth === depth ? place.index : undefined;
    let map: YAMLMap | YAMLSeq = this.#spec;
    for (const [depth, step] of path.slice(0, -1).entries()) {
      const inner: unknown = isMap(map) ? map.get(step, true) : map.items[step as number];
      if (isMap(inner) || isSeq(inner)) {
        map = inner;
        continue;
      }
      const made = new YAMLMap();
      this.#insert(map, step, made, indexAt(depth));
      map = made;
    }
    return this.#insert(map, path.at(-1) ?? "", node, indexAt(path.length - 1));
  }

  #insert(map: YAMLMap | YAMLSeq, step: string | number, node: unknown, index?: number): Pair {
    const pair = new Pair(new Scalar(step), node);
    if (!isMap(map)) {
      map.items[step as number] = node;
      return pair;
    }
    const there = map.items.findIndex((one) => keyOf(one) === step);
    const old = map.items[there];
    if (old !== undefined) {
      keepComments(old, pair);
      map.items.splice(there, 1, pair);
    } else map.items.splice(Math.min(index ?? Infinity, map.items.length), 0, pair);
    return pair;
  }
}

/** What stood at a field stays there when its value is another one. */
function keepComments(old: Pair, pair: Pair): void {
  if (isNode(old.key) && isNode(pair.key)) {
    pair.key.commentBefore = old.key.commentBefore ?? null;
    pair.key.spaceBefore = old.key.spaceBefore ?? false;
  }
  if (isScalar(old.value) && isScalar(pair.value)) pair.value.comment ??= old.value.comment ?? null;
}

function keyOf({ key }: Pair): unknown {
  return isScalar(key) ? key.value : key;
}

/** Makes nodes of a JSON value. */
function nodeOf(value: unknown): Scalar | YAMLMap | YAMLSeq {
  return new Document(value).contents as Scalar | YAMLMap | YAMLSeq;
}

/** Mappings that hold other mappings or lists are written as blocks, as are their items; short ones stay as they are. */
function unfold(node: unknown): boolean {
  if (!isCollection(node)) return false;
  let isNested = false;
  for (const item of node.items) {
    const inner = isMap(node) ? (item as Pair).value : item;
    unfold(inner);
    isNested ||= isCollection(inner) && inner.items.length > 0;
  }
  const hasComment = node.commentBefore != null || node.comment != null;
  if (isNested || hasComment || node.items.length > MAX_IN_ONE_LINE) node.flow = false;
  return isNested;
}
const MAX_IN_ONE_LINE = 4;

/** A value as JSON in one line, as far as it goes. */
function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? "null";
  return text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text;
}

/** What some readers of YAML take for the end of a line would end the comment. */
export function inComment(text: string): string {
  return text.replaceAll(
    // oxlint-disable-next-line no-control-regex -- these are the characters that are looked for
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffd-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
