/** Writes the arguments of a call in a few characters, as `{city:"Berlin"}`. */

const MAX_LENGTH = 80;
const MAX_DEPTH = 3;

export function shortValue(value: unknown): string {
  const text = write(value, 0, MAX_LENGTH + 1);
  return text.length <= MAX_LENGTH ? text : `${text.slice(0, MAX_LENGTH - 1).toWellFormed()}…`;
}

/** Stops once there is enough, since a tool may answer with megabytes. */
function write(value: unknown, depth: number, room: number): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, room).toWellFormed());
  if (typeof value !== "object" || value === null) return String(value);
  const isList = Array.isArray(value);
  if (depth >= MAX_DEPTH) return isList ? "[…]" : "{…}";
  let text = "";
  for (const key of Object.keys(value)) {
    if (text.length >= room) break;
    const left = room - text.length;
    const inner = write((value as Record<string, unknown>)[key], depth + 1, left);
    const name = isList
      ? ""
      : `${/^[\w$]+$/.test(key) ? key : JSON.stringify(key.slice(0, left))}:`;
    text += `${text === "" ? "" : ", "}${name}${inner}`;
  }
  return isList ? `[${text}]` : `{${text}}`;
}
