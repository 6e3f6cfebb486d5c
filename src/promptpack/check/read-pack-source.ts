/** Reads the text of a pack, which is JSON or YAML, into a value with the place of each of its parts. */
import type { FieldPath } from "../../api/fields/problems.ts";
import type { Position } from "../../api/manifest/text-positions.ts";
import { parseYAMLDocuments } from "../../api/manifest/yaml-documents.ts";
import { offsetsOf, scanJSON } from "./scan-json.ts";

export type PackSource =
  | { ok: true; value: unknown; positionsOf(paths: readonly FieldPath[]): Position[] }
  | { ok: false; position: Position; message: string };

export function readPackSource(text: string): PackSource {
  const source = text.startsWith("\uFEFF") ? text.slice(1) : text;
  if (source.trim() === "") return refuse({ line: 1, column: 1 }, "it is empty");
  // A text that begins like JSON is meant as JSON, so its errors are described in terms of JSON.
  return /^\s*[{[]/.test(source) ? readJSON(source) : readYAML(source);
}

function readJSON(text: string): PackSource {
  const fault = scanJSON(text);
  if (fault !== undefined) return refuse(positionAt(text, fault.offset), fault.message);
  return {
    ok: true,
    value: JSON.parse(text),
    positionsOf: (paths) => offsetsOf(text, paths).map((offset) => positionAt(text, offset)),
  };
}

function readYAML(text: string): PackSource {
  const documents = parseYAMLDocuments(text, 1);
  if (documents === undefined) {
    return refuse({ line: 1, column: 1 }, "it holds more than one YAML document");
  }
  const [document] = documents;
  if (document === undefined) return refuse({ line: 1, column: 1 }, "it is empty");
  const error = document.problems.find(({ severity }) => severity === "error");
  if (error !== undefined) return refuse(error, error.message);
  if (typeof document.value === "string" && !isJSON(text)) {
    return refuse({ line: 1, column: 1 }, "it is neither a JSON object nor a YAML mapping");
  }
  return {
    ok: true,
    value: document.value,
    positionsOf: (paths) => paths.map((path) => document.positionOf(path)),
  };
}

function refuse({ line, column }: Position, message: string): PackSource {
  return { ok: false, position: { line, column }, message };
}

function isJSON(text: string): boolean {
  return scanJSON(text) === undefined;
}

function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  return { line: before.split("\n").length, column: offset - before.lastIndexOf("\n") };
}
