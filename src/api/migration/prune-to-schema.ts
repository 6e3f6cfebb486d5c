import { validate, type FieldProblem } from "../fields/problems.ts";
import type { OmniaKind } from "../group.ts";
import { KIND_SCHEMAS } from "../kinds.ts";
import type { SpecEditor } from "./spec-editor.ts";

/** More fields than this are not taken out of one resource. */
const MAX_PRUNED = 200;

/**
 * Turns what the schema refuses into comments, so that the rest can be applied. Answers what nothing can be taken out for, such as
 * a name that no resource may have.
 */
export function pruneToSchema(
  kind: OmniaKind,
  resource: () => Readonly<Record<string, unknown>>,
  editor: SpecEditor,
): readonly FieldProblem[] {
  for (let pruned = 0; ; pruned++) {
    const { status: _status, ...candidate } = resource();
    const result = validate<unknown>(KIND_SCHEMAS[kind], withoutNulls(candidate));
    if (result.ok) return [];
    // Of a list the last items go first, so that the numbers of the others stay as they are.
    const last = result.problems.findLast(
      (problem) => removablePath(problem, editor) !== undefined,
    );
    const path = last && removablePath(last, editor);
    if (last === undefined || path === undefined || pruned === MAX_PRUNED) return result.problems;
    editor.toComment(path, last.message);
  }
}

/** The field that a problem is about, or the nearest one around it that is there. */
function removablePath(
  { path: [root, ...path] }: FieldProblem,
  editor: SpecEditor,
): (string | number)[] | undefined {
  if (root !== "spec") return undefined;
  for (let length = path.length; length > 0; length--) {
    // An item of a list is nothing without its name.
    const isName = path[length - 1] === "name" && typeof path[length - 2] === "number";
    const inner = path.slice(0, isName ? length - 1 : length);
    if (editor.get(...inner) !== undefined) return inner;
  }
  return undefined;
}

/** A field without a value counts as unset, except inside of a JSON Schema. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([key, inner]) => [key, key === "inputSchema" ? inner : withoutNulls(inner)]),
  );
}
