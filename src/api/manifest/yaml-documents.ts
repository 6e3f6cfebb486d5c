/** Reads YAML into documents that know the place of each value. JSON is read too, because it is YAML. */
import {
  type Alias,
  Composer,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type YAMLMap,
} from "yaml";
import type { FieldPath } from "../fields/problems.ts";
import { foreignNotations, refusedHead } from "./foreign-notations.ts";
import { kubectlTags } from "./kubectl-scalars.ts";
import { type DocumentPart, splitDocuments } from "./split-documents.ts";
import { type Position, TextPositions } from "./text-positions.ts";
import { describeError, describeWarning, firstErrors } from "./yaml-messages.ts";
import { placeOf, scalarsOf } from "./yaml-scalars.ts";
import { TokenBudget, TokenLimitError } from "./yaml-tokens.ts";
import { convertDocument } from "./yaml-value.ts";

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

const UNREAD_DOCUMENT =
  'kubectl reads nothing of what stands here, behind the end of a document; begin a document with a line "---"';

/**
 * Reads documents as kubectl does, and says where that is a surprise. Leaves out documents that hold nothing. Returns `undefined`
 * when there are more than `maxDocuments`. `isNamedJSON` says whether the name of the file ends in `.json`.
 */
export function parseManifestDocuments(
  text: string,
  { isNamedJSON, maxDocuments }: { isNamedJSON: boolean; maxDocuments: number },
): YAMLDocument[] | undefined {
  const parts = splitDocuments(text, isNamedJSON);
  if (parts.length > maxDocuments) return undefined;
  const positions = new TextPositions(withLineFeeds(text));
  const budget = new TokenBudget();
  return parts.flatMap((part) => readPart(part, positions, budget));
}

/** Reads documents that are not meant for kubectl. Returns `undefined` when there are more than `maxDocuments`. */
export function parseYAMLDocuments(text: string, maxDocuments: number): YAMLDocument[] | undefined {
  const parts = text.split(/^---(?=\s|$)/m).filter((part) => part.trim() !== "");
  if (parts.length > maxDocuments) return undefined;
  const positions = new TextPositions(text);
  const at = (offset: number): Position => positions.at(offset);
  const documents = parse(text, new TokenBudget());
  if (documents instanceof TokenLimitError) {
    const { offset, message } = documents;
    return [refusal([{ ...at(offset), severity: "error", message }])];
  }
  return documents
    .map((document) => readDocument(document, at, false))
    .filter(({ value, problems }) => problems.length > 0 || value !== null);
}

/** A line may end with a carriage return alone, which YAML allows and the `yaml` package does not. No offset changes. */
function withLineFeeds(text: string): string {
  return text.replaceAll(/\r(?!\n)/g, "\n");
}

function parse(text: string, budget: TokenBudget): Document.Parsed[] | TokenLimitError {
  const composer = new Composer({
    version: "1.1",
    customTags: kubectlTags,
    stringKeys: true,
    // The parser would compare every key with every other. The conversion to a value looks for repeated keys instead.
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "silent",
  });
  try {
    return [...composer.compose(budget.read(text), false, text.length)].filter(
      (document) => document.contents !== null || document.errors.length > 0,
    );
  } catch (error) {
    if (error instanceof TokenLimitError) return error;
    throw error;
  }
}

function readPart(
  part: DocumentPart,
  positions: TextPositions,
  budget: TokenBudget,
): YAMLDocument[] {
  const at = (offset: number): Position => positions.at(part.offset + offset);
  const found: YAMLProblem[] = part.problems.map(({ offset, severity, message }) => ({
    ...positions.at(offset),
    severity,
    message,
  }));
  const refused = ({ offset, message }: { offset: number; message: string }): YAMLDocument[] => [
    refusal([...found, { ...at(offset), severity: "error", message }]),
  ];
  const head = part.isJSON ? undefined : refusedHead(part.text);
  if (head !== undefined) return refused(head);
  const documents = parse(withLineFeeds(part.text), budget);
  if (documents instanceof TokenLimitError) return refused(documents);
  const [first, ...others] = documents;
  if (first === undefined) return found.length === 0 ? [] : [refusal(found)];
  const document = readDocument(first, at, true);
  if (!part.isJSON && first.errors.length === 0) {
    for (const { offset, severity, message } of foreignNotations(part.text, scalarsOf(first))) {
      found.push({ ...at(offset), severity, message });
    }
  }
  const unread = others.flatMap(({ contents }) =>
    contents === null
      ? []
      : [refusal([{ ...at(contents.range[0]), severity: "error", message: UNREAD_DOCUMENT }])],
  );
  return [{ ...document, problems: [...found, ...document.problems] }, ...unread].filter(
    ({ value, problems }) => problems.length > 0 || value !== null,
  );
}

/** A document of which nothing is read. */
function refusal(problems: YAMLProblem[]): YAMLDocument {
  const { line, column } = problems[0] ?? { line: 1, column: 1 };
  const position = (): Position => ({ line, column });
  return { value: undefined, problems, positionOf: position, keyPositionOf: position };
}

function readDocument(
  document: Document.Parsed,
  at: (offset: number) => Position,
  isForKubectl: boolean,
): YAMLDocument {
  const start = at(document.contents?.range[0] ?? document.range[0]);
  const problems: YAMLProblem[] = [
    ...firstErrors(document.errors).map((error) => ({
      ...at(placeOf(error, document)),
      severity: "error" as const,
      message: describeError(error),
    })),
    ...document.warnings.map((warning) => ({
      ...at(warning.pos[0]),
      severity: "warning" as const,
      message: describeWarning(warning),
    })),
  ];
  let value: unknown;
  let targets: ReadonlyMap<Alias, unknown> = new Map();
  if (document.errors.length === 0) {
    // A repeated key leaves the rest of the document readable.
    const converted = convertDocument(document, isForKubectl);
    ({ value, targets } = converted);
    for (const { offset, severity, message } of converted.problems) {
      problems.push({ ...(offset === undefined ? start : at(offset)), severity, message });
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
      if (isAlias(node)) node = targets.get(node);
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
