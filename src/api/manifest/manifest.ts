/** Turns users' files into typed resources, and finds every problem with its place. It is pure: the caller reads the files. */
import type { z } from "zod";
import { CORE_API_VERSION, isOversized } from "../fields/core-objects.ts";
import { type FieldPath, formatPath, validate } from "../fields/problems.ts";
import { API_VERSION, OMNIA_KINDS } from "../group.ts";
import { judgeKind, KIND_SCHEMAS, type Kind } from "../kinds.ts";
import { describeForm, recogniseForm } from "../upstream/recognise-form.ts";
import type { Position } from "./text-positions.ts";
import { parseManifestDocuments, type YAMLDocument } from "./yaml-documents.ts";

export const MAX_FILE_BYTES = 8 * 1024 * 1024;
export const MAX_DOCUMENTS_PER_FILE = 1_000;
/** More problems than this in one file are counted, not listed. */
export const MAX_PROBLEMS_PER_FILE = 200;

/** Control characters, and what decoding leaves of bytes that are not UTF-8. Kubernetes' own tools refuse them too. */
// oxlint-disable-next-line no-control-regex -- the pattern looks for these very characters
const NO_TEXT = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u0084\u0086-\u009F\uFFFD-\uFFFF]/;

/** What decoding as UTF-8 leaves of UTF-16: a zero beside each letter, and perhaps a byte order mark that is none. */
// oxlint-disable-next-line no-control-regex -- the pattern looks for these very characters
const UTF_16 = /^(\uFFFD\uFFFD)?([\u0009-\u007E]\u0000|\u0000[\u0009-\u007E])/;

export interface Problem extends Position {
  readonly file: string;
  /** An error keeps the resource from being used; a warning does not. */
  readonly severity: "error" | "warning";
  /** Names the field and the cure. Holds nothing secret. */
  readonly message: string;
}

interface Resource<K extends Kind> {
  readonly apiVersion: string;
  readonly kind: K;
  readonly name: string;
  readonly namespace: string;
  /** The parsed value, with defaults filled in. */
  readonly value: z.output<(typeof KIND_SCHEMAS)[K]>;
  /** The fields of the spec that the file names. The others of the value have their defaults. */
  readonly specFields: readonly string[];
  readonly file: string;
  /** Where the field at `path` of the value is written, or else the nearest thing around it. */
  readonly positionOf: (path: FieldPath) => Position;
}

/** One resource of a file; its `kind` says what its `value` is. */
export type ManifestResource = { [K in Kind]: Resource<K> }[Kind];

export interface Manifests {
  readonly resources: ManifestResource[];
  readonly problems: Problem[];
  /** How many resources the file declares, with those that cannot be used. */
  readonly declared: number;
}

/** `file` only labels the problems and the resources. */
export function parseManifests(text: string, file: string): Manifests {
  let resources: ManifestResource[] = [];
  let problems: Problem[] = [];
  let declared = 0;
  const refuse = (message: string, position: Position = { line: 1, column: 1 }): Manifests => ({
    resources,
    problems: [{ file, ...position, severity: "error", message }],
    declared,
  });
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) {
    return refuse(`the file is larger than ${MAX_FILE_BYTES / 1024 / 1024} MiB; split it`);
  }
  if (UTF_16.test(text)) return refuse("the file is UTF-16; save it as UTF-8");
  const foreign = text.search(NO_TEXT);
  if (foreign >= 0) {
    const before = text.slice(0, foreign).split("\n");
    return refuse(
      "holds something that is no text; save the file as UTF-8, without control characters",
      {
        line: before.length,
        column: (before.at(-1) ?? "").length + 1,
      },
    );
  }
  const documents = parseManifestDocuments(text, {
    isNamedJSON: /\.json$/i.test(file),
    maxDocuments: MAX_DOCUMENTS_PER_FILE,
  });
  if (documents === undefined) {
    return refuse(`the file has more than ${MAX_DOCUMENTS_PER_FILE} documents; split it`);
  }
  for (const document of documents) {
    problems = problems.concat(document.problems.map((problem) => ({ file, ...problem })));
    if (document.value === undefined) {
      declared += 1;
      continue;
    }
    if (document.value === null) continue;
    const reader = new DocumentReader(file, document);
    declared += reader.read(document.value);
    problems = problems.concat(reader.problems);
    // Nobody knows which value of a repeated key is meant, so neither is taken.
    const broken = document.problems.some(({ severity }) => severity === "error");
    if (!broken) resources = resources.concat(reader.resources);
  }
  return { resources, problems: shorten(problems), declared };
}

/** The key by which a resource is found. No two resources may share it. */
export function resourceKey({
  kind,
  namespace,
  name,
}: {
  kind: string;
  namespace: string;
  name: string;
}): string {
  return `${kind}/${namespace}/${name}`;
}

class DocumentReader {
  readonly resources: ManifestResource[] = [];
  readonly problems: Problem[] = [];
  readonly #file: string;
  readonly #document: YAMLDocument;

  constructor(file: string, document: YAMLDocument) {
    this.#file = file;
    this.#document = document;
  }

  /** Returns how many resources the document declares. */
  read(document: unknown): number {
    if (!isMapping(document) || !isList(document)) {
      this.#readItem(document, []);
      return 1;
    }
    const { apiVersion, kind, items } = document;
    if (!Array.isArray(items)) {
      this.#report(["items"], "must be a list of resources");
      return 1;
    }
    // kubectl lets the items of a typed list, such as ConfigMapList, leave out what the list says.
    const type = { apiVersion, kind: kind.slice(0, -LIST.length) };
    for (const [index, item] of items.entries()) {
      const isBare =
        isMapping(item) && item["kind"] === undefined && item["apiVersion"] === undefined;
      this.#readItem(isBare && type.kind !== "" ? { ...type, ...item } : item, ["items", index]);
    }
    return items.length;
  }

  /** `root` is the path of `value` in its document. It is not empty for an item of a list. */
  #readItem(value: unknown, root: FieldPath): void {
    if (!isMapping(value)) {
      this.#report(root, "must be a mapping with apiVersion, kind, metadata");
      return;
    }
    const { apiVersion, kind } = value;
    const named = this.#require(root, "apiVersion", apiVersion, `like "${API_VERSION}"`);
    if (!this.#require(root, "kind", kind, `like ${OMNIA_KINDS.join(", ")}`) || !named) return;
    if (isList(value)) {
      this.#report([...root, "kind"], LIST_IN_LIST);
      return;
    }
    const foreign = recogniseForm(value);
    if (foreign !== undefined) {
      // Each of its fields would be an unknown one, with a hint at something that was not meant.
      const path = [...root, ...foreign.path];
      this.#report(path, describeForm(foreign), "error", this.#document.keyPositionOf(path));
      return;
    }
    const verdict = judgeKind(apiVersion as string, kind as string);
    if (!verdict.taken) {
      this.#report([...root, verdict.field], verdict.message, verdict.severity);
      return;
    }
    this.#readResource(verdict.kind, value, root);
  }

  #readResource(kind: Kind, given: Record<string, unknown>, root: FieldPath): void {
    const isOurs = (OMNIA_KINDS as readonly string[]).includes(kind);
    const candidate = withoutNulls({ ...given, metadata: given["metadata"] ?? {} });
    // The status in a file is ignored, as an API server ignores it.
    if (isOurs) delete candidate["status"];
    const schema: z.ZodType<ManifestResource["value"]> = KIND_SCHEMAS[kind];
    const result = validate(schema, candidate);
    if (!result.ok) {
      for (const { path, message, unknownField } of result.problems) {
        const whole = [...root, ...path];
        const position = unknownField
          ? this.#document.keyPositionOf(whole)
          : this.#document.positionOf(whole);
        this.#report(whole, message, "error", position);
      }
      return;
    }
    const infinite = pathToInfinite(candidate, []);
    if (infinite !== undefined) {
      this.#report([...root, ...infinite], "is no number that Kubernetes can hold");
      return;
    }
    if (result.value.kind === "ConfigMap" && isOversized(result.value)) {
      const message = "holds more than 1 MiB, which no API server takes; split it";
      this.#report([...root, "data"], message, "warning");
    }
    const { metadata, apiVersion } = result.value;
    this.resources.push({
      apiVersion,
      kind,
      name: metadata.name,
      namespace: metadata.namespace,
      value: result.value,
      specFields: isMapping(candidate["spec"]) ? Object.keys(candidate["spec"]) : [],
      file: this.#file,
      positionOf: (path) => this.#document.positionOf([...root, ...path]),
    } as ManifestResource);
  }

  #require(root: FieldPath, field: string, value: unknown, example: string): boolean {
    if (typeof value === "string" && value !== "") return true;
    const missing = value === undefined || value === null || value === "";
    this.#report([...root, field], `${missing ? "required" : "must be a string"}, ${example}`);
    return false;
  }

  #report(
    path: FieldPath,
    message: string,
    severity: Problem["severity"] = "error",
    position: Position = this.#document.positionOf(path),
  ): void {
    const where = formatPath(path);
    this.problems.push({
      file: this.#file,
      ...position,
      severity,
      message: where === "" ? message : `${where}: ${message}`,
    });
  }
}

const LIST = "List";
const LIST_IN_LIST =
  "kubectl refuses a list inside of a list; write its items into the list around it";

interface List extends Record<string, unknown> {
  readonly apiVersion: string;
  readonly kind: string;
}

/** `v1 List`, or the list of one kind, as an API server answers it. Kinds of others may end in "List" and be none. */
function isList(value: Record<string, unknown>): value is List {
  const { apiVersion, kind } = value;
  if (typeof apiVersion !== "string" || typeof kind !== "string" || !kind.endsWith(LIST)) {
    return false;
  }
  if (Array.isArray(value["items"])) return true;
  if (kind === LIST) return apiVersion === CORE_API_VERSION;
  return judgeKind(apiVersion, kind.slice(0, -LIST.length)).taken;
}

/** Inside these fields a null is data, and does not mean an unset field. */
const FREE_FORM = new Set(["inputSchema", "arguments", "data", "stringData", "binaryData"]);

/** A field without a value counts as unset, as it does for an API server. */
function withoutNulls(mapping: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(mapping)
      .filter(([, value]) => value !== null)
      .map(([key, value]) => [key, FREE_FORM.has(key) ? value : clean(value)]),
  );
}

function clean(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(clean);
  return isMapping(value) ? withoutNulls(value) : value;
}

/** Fields that take any value would take these numbers of YAML too, and JSON has none of them. */
function pathToInfinite(value: unknown, path: FieldPath): FieldPath | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? undefined : path;
  if (typeof value !== "object" || value === null) return undefined;
  for (const [key, field] of Object.entries(value)) {
    const found = pathToInfinite(field, [...path, Array.isArray(value) ? Number(key) : key]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shorten(problems: Problem[]): Problem[] {
  const inOrder = problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  const rest = inOrder.slice(MAX_PROBLEMS_PER_FILE);
  const [next] = rest;
  if (next === undefined) return inOrder;
  return [
    ...inOrder.slice(0, MAX_PROBLEMS_PER_FILE),
    { ...next, severity: "error", message: `and ${rest.length} more problems` },
  ];
}
