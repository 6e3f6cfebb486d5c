import { type FieldPath, formatPath } from "../../api/fields/problems.ts";
import type { ManifestResource, Problem } from "../../api/manifest/manifest.ts";
import type { Position } from "../../api/manifest/text-positions.ts";

export interface Finding extends Omit<Problem, "severity"> {
  /** A note says what could not be checked. */
  readonly severity: Problem["severity"] | "note";
}

/** Keeps each finding once, although two agents may share a registry and two packs a source. */
export class Findings {
  readonly #all = new Map<string, Finding>();

  get all(): readonly Finding[] {
    return [...this.#all.values()];
  }

  error(resource: ManifestResource, path: FieldPath, message: string): void {
    this.#add("error", resource, path, message);
  }

  warning(resource: ManifestResource, path: FieldPath, message: string): void {
    this.#add("warning", resource, path, message);
  }

  note(resource: ManifestResource, path: FieldPath, message: string): void {
    this.#add("note", resource, path, message);
  }

  /** Adds a finding at a place to which no path of a resource leads. */
  addAt(severity: Finding["severity"], file: string, position: Position, message: string): void {
    const { line, column } = position;
    const finding = { file, line, column, severity, message };
    this.#all.set(JSON.stringify(finding), finding);
  }

  #add(
    severity: Finding["severity"],
    resource: ManifestResource,
    path: FieldPath,
    message: string,
  ): void {
    const position = resource.positionOf(path);
    this.addAt(severity, resource.file, position, `${formatPath(path)}: ${message}`);
  }
}
