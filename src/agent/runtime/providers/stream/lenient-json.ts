/** Reads JSON as servers write it. */

/** The values in the data of an event, mostly one. Undefined when the data is no JSON. */
export function parseLenient(data: string): unknown[] | undefined {
  const value = parseOrRepair(data);
  if (value !== FAILED) return [value];
  const lines = data.split("\n").map(withoutFieldName);
  const values = lines.filter((line) => line.trim() !== "").map(parseOrRepair);
  return values.length === 0 || values.includes(FAILED) ? undefined : values;
}

const FAILED = Symbol("failed");

function parseOrRepair(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    try {
      return JSON.parse(repaired(text));
    } catch {
      return FAILED;
    }
  }
}

/** Some gateways write the name of the field twice. */
function withoutFieldName(line: string): string {
  return line.replace(/^(?:\s*data:)+\s*/, "");
}

/** A string, or a word that only Python takes for a number. */
const TOKEN = /"(?:[^"\\]|\\[^])*"|-?\b(?:NaN|Infinity)\b/g;
// oxlint-disable-next-line no-control-regex -- these are what is looked for
const CONTROL = /[\0-\x1f]/g;

/** Escapes control characters within strings, and puts null in place of numbers that JSON does not have. */
function repaired(text: string): string {
  return text.replaceAll(TOKEN, (token) =>
    token.startsWith('"')
      ? token.replaceAll(CONTROL, (character) => JSON.stringify(character).slice(1, -1))
      : "null",
  );
}
