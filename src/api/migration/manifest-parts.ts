/** Cuts files into documents whose YAML can be changed, and finds the resources in them. */
import {
  type Document,
  isMap,
  isNode,
  isScalar,
  isSeq,
  parseAllDocuments,
  Scalar,
  visit,
  type YAMLMap,
} from "yaml";
import { splitDocuments } from "../manifest/split-documents.ts";
import { manifestTags } from "./manifest-tags.ts";

/** How often aliases may be followed in one document. */
const MAX_ALIAS_COUNT = 100;

export interface SourceFile {
  readonly name: string;
  readonly text: string;
}

export interface ManifestPart {
  readonly file: string;
  /** From the line "---" to the one before the next. */
  readonly text: string;
  /** The line in the file with which the part begins, counted from 1. */
  readonly line: number;
  /** Whether it is one of several JSON objects with nothing between them. */
  readonly isStreamed: boolean;
  /** `undefined` for a part that holds nothing but comments. */
  readonly document: Document | undefined;
  /** Why the part cannot be read. */
  readonly problem: { readonly line: number; readonly message: string } | undefined;
}

/** A resource of a part: the whole document, or an item of a list. */
export interface PartResource {
  readonly map: YAMLMap;
  /** The list that it is an item of. */
  readonly list: YAMLMap | undefined;
}

export function partsOf({ name, text }: SourceFile): ManifestPart[] {
  const streamed = jsonStreamOf(name, text);
  if (streamed !== undefined) return streamed;
  const starts = [0, ...[...text.matchAll(/^---(?=\s|$)/gm)].map(({ index }) => index)];
  let line = 1;
  return [...new Set(starts)].map((start, index, all): ManifestPart => {
    const part = text.slice(start, all[index + 1]);
    const first = line;
    line += part.split("\n").length - 1;
    return { file: name, text: part, line: first, isStreamed: false, ...read(part, first) };
  });
}

/** JSON objects one after the other, which kubectl reads too. */
function jsonStreamOf(name: string, text: string): ManifestPart[] | undefined {
  const parts = splitDocuments(text, /\.json$/i.test(name));
  if (parts.length < 2 || !parts.every(({ isJSON }) => isJSON)) return undefined;
  return parts.map(({ offset }, index): ManifestPart => {
    const part = text.slice(index === 0 ? 0 : offset, parts[index + 1]?.offset);
    const line = text.slice(0, offset).split("\n").length;
    return { file: name, text: part, line, isStreamed: true, ...read(part, line) };
  });
}

function read(text: string, firstLine: number): Pick<ManifestPart, "document" | "problem"> {
  const documents = [
    ...parseAllDocuments(text, {
      version: "1.1",
      customTags: manifestTags,
      stringKeys: true,
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: "silent",
    }),
  ].filter(({ contents, errors }) => contents !== null || errors.length > 0);
  const [document] = documents;
  if (document === undefined) return { document: undefined, problem: undefined };
  const offset = document.errors[0]?.pos[0] ?? repeatedKey(document);
  if (offset !== undefined || documents.length > 1) {
    const line = firstLine + text.slice(0, offset ?? 0).split("\n").length - 1;
    const message = 'this document cannot be read: "omnia validate" says why';
    return { document: undefined, problem: { line, message } };
  }
  if (isJSON(text)) asBlocks(document.contents);
  return { document: withoutAliases(document), problem: undefined };
}

/** Where a name stands that its mapping has already. */
function repeatedKey(document: Document.Parsed): number | undefined {
  let found: number | undefined;
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) found ??= key.range?.[0] ?? 0;
        seen.add(key.value);
      }
    },
  });
  return found;
}

/** What an alias stands for is written out, because it may be moved apart from its anchor. */
function withoutAliases(document: Document): Document {
  let hasAlias = false;
  visit(document, {
    Alias: () => void (hasAlias = true),
    Pair: (_, { key }) => void (hasAlias ||= isScalar(key) && key.source === "<<"),
  });
  if (!hasAlias) return document;
  try {
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIAS_COUNT });
    document.contents = document.createNode(value, { aliasDuplicateObjects: false });
  } catch {
    // "omnia validate" says what is wrong with the aliases; the document stays as it is.
  }
  return document;
}

export function resourcesOf({ document }: ManifestPart): PartResource[] {
  const contents = document?.contents;
  if (!isMap(contents)) return [];
  const kind: unknown = contents.get("kind");
  const items: unknown = contents.get("items", true);
  if (typeof kind !== "string" || !kind.endsWith("List") || !isSeq(items)) {
    return [{ map: contents, list: undefined }];
  }
  return items.items.flatMap((item) => (isMap(item) ? { map: item, list: contents } : []));
}

function isJSON(text: string): boolean {
  try {
    JSON.parse(text.replace(/^---\s/, ""));
    return true;
  } catch {
    return false;
  }
}

/** Writes what was JSON as people write YAML. */
function asBlocks(node: unknown): void {
  if (!isNode(node)) return;
  visit(node, {
    Collection: (_, collection) => void (collection.flow = false),
    Scalar: (_, scalar) => {
      if (isScalar(scalar) && scalar.type === Scalar.QUOTE_DOUBLE) delete scalar.type;
    },
  });
}
