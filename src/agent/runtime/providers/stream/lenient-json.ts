/** Reads JSON as servers write it. */

/** The values in the data of an event, mostly one. Undefined when the data is no JSON. */
export function parseLenient(data: string): unknown[] | undefined {
  const value = parseOrRepair(data);
  if (value !== FAILED) return [value];
  const lines = data.split("\n").map(withoutFieldName);
  const texts = lines.filter((line) => line.trim() !== "");
  for (const parts of [texts, texts.flatMap(objectsIn)]) {
    const values = parts.map(parseOrRepair);
    if (values.length > 0 && !values.includes(FAILED)) return values;
  }
  return undefined;
}

/** A string, or a bracket of an object. */
const PART_OF_OBJECT = /"(?:[^"\\]|\\[^])*"|[{}]/g;

/** The objects that stand one behind the other with nothing but blanks or the name of a field in between. */
function objectsIn(line: string): string[] {
  const objects: string[] = [];
  let depth = 0;
  let begin = 0;
  for (const { 0: part, index } of line.matchAll(PART_OF_OBJECT)) {
    if (part === "{") depth += 1;
    if (part !== "}") continue;
    depth -= 1;
    if (depth > 0) continue;
    objects.push(withoutFieldName(line.slice(begin, index + 1)));
    begin = index + 1;
  }
  const rest = line.slice(begin);
  return rest.trim() === "" ? objects : [...objects, rest];
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
