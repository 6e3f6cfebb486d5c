import type { FieldPath } from "../fields/problems.ts";
import { presentFields } from "../upstream/recognise-form.ts";
import type { UpstreamField } from "../upstream/upstream-field.ts";
import type { SpecEditor } from "./spec-editor.ts";

/** Moves each field of the table to its place, and turns those that have none into comments. */
export function applyFields(editor: SpecEditor, fields: readonly UpstreamField[]): void {
  // What is more deeply inside comes first, and of a list the last items: so no path changes under another.
  const present = presentFields(editor.get(), fields)
    .filter(({ field }) => field.isShared !== true)
    .toReversed()
    .toSorted((a, b) => b.path.length - a.path.length);
  for (const { field, path } of present) {
    const { to, note = "it has no counterpart", impliedValues = [] } = field;
    if (to !== undefined) editor.move(path, placeOf(to, path));
    else if (impliedValues.includes(String(editor.get(...path)))) editor.remove(path);
    else editor.toComment(path, note);
  }
}

/** The place with the numbers of the list items that the field stands in. */
function placeOf(to: string, from: FieldPath): FieldPath {
  const numbers = from.filter((step) => typeof step === "number");
  return to
    .split(".")
    .flatMap((step) => (step.endsWith("[]") ? [step.slice(0, -2), numbers.shift() ?? 0] : [step]));
}
