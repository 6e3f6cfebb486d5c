/**
 * Arguments that came as states of one object, one behind the other: servers that should send an object in pieces send an empty one
 * first, send the whole once more at the end, or repeat with each piece all that came before it.
 */
import { MAX_ARGUMENT_STATES } from "../../contracts/limits.ts";

/** The JSON of the last state. Undefined when `text` is not of this kind: then nobody knows what was meant. */
export function lastStateOf(text: string): string | undefined {
  let at = text.indexOf("{");
  for (let count = 0; at !== -1 && count < MAX_ARGUMENT_STATES; count += 1) {
    const last = text.slice(at).trim();
    if (isJSON(last)) return isStatesOf(text.slice(0, at), last) ? last : undefined;
    at = text.indexOf("{", at + 1);
  }
  return undefined;
}

/** Whether `before` is nothing but empty objects and beginnings of `last`, none of them shorter than the one before it. */
function isStatesOf(before: string, last: string): boolean {
  let left = before.trim();
  let longest = 1;
  while (left !== "") {
    const empty = EMPTY.exec(left)?.[0].length;
    const length = empty ?? sharedLength(left, last);
    if (empty === undefined) {
      if (length < longest) return false;
      longest = length;
    }
    left = left.slice(length).trimStart();
  }
  return true;
}

const EMPTY = /^\{\s*\}/;

function sharedLength(one: string, other: string): number {
  let length = 0;
  while (length < one.length && length < other.length && one[length] === other[length]) length += 1;
  return length;
}

function isJSON(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
