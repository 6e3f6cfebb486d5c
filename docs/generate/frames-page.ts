/** The page of frames: every field of every frame, from the types that agents and clients share. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { code, page, sentence, table, type Page } from "./markdown.ts";

const SOURCE = "src/protocol/frames.ts";
const INTERFACE =
  /(?:\/\*\*((?:(?!\*\/)[^])*)\*\/\n)?(?:export )?interface (\w+)(?: extends (\w+))? \{\n(.*?)\n\}/gs;
const FIELD = /^( +)(?:(\w+)(\?)?: (.+?)|\});?$/;

interface Field {
  readonly name: string;
  readonly type: string;
  readonly isOptional: boolean;
  readonly comment: string;
}

interface Declared {
  readonly comment: string;
  readonly base: string | undefined;
  readonly fields: readonly Field[];
}

export function framesPage(): Page {
  const declared = declarationsIn(readFileSync(join(import.meta.dirname, "../..", SOURCE), "utf8"));
  const frames = [...declared].filter(([name]) => name.endsWith("Frame"));
  const ofServer = frames.filter(([name]) => isOfServer(declared, name));
  const ofClient = frames.filter(([name]) => !isOfServer(declared, name));
  const sections = (ones: typeof frames): string[] =>
    ones.flatMap(([name, { comment }]) => [
      `### ${headingOf(name, declared)}`,
      ...(comment === "" ? [] : [comment]),
      table(["field", "type", "needed", "meaning"], fieldsOf(declared, name).map(rowOf)),
    ]);
  return page("reference/frames.md", { title: "Frames", source: SOURCE }, [
    "One frame is one message of JSON text. [The WebSocket protocol](../protocol.md) says when each of them comes, with examples.",
    "## From a client",
    ...sections(ofClient),
    "## From the agent",
    ...sections(ofServer),
  ]);
}

function declarationsIn(source: string): Map<string, Declared> {
  return new Map(
    [...source.matchAll(INTERFACE)].map(([, comment = "", name = "", base, body = ""]) => [
      name,
      { comment: plain(comment), base, fields: fieldsIn(body) },
    ]),
  );
}

/** The fields of a body, those of an object within it by their path. */
function fieldsIn(body: string): Field[] {
  const fields: Field[] = [];
  const path: string[] = [];
  let comment = "";
  for (const line of body
    .replaceAll(/\/\*\*[^]*?\*\//g, (text) => text.replaceAll(/\n\s*/g, " "))
    .split("\n")) {
    const [, remark] = /^ *\/\*\*(.*)\*\/$/.exec(line) ?? [];
    if (remark !== undefined) comment = plain(remark);
    // An object on one line is written as one on several.
    for (const part of line
      .replace(
        /\{ (.+) \}/,
        (_, inner: string) => `{\n    ${inner.replaceAll("; ", ";\n    ")};\n  }`,
      )
      .split("\n")) {
      const [, , name, optional, type] = FIELD.exec(part) ?? [];
      if (/^ +\};?$/.test(part)) path.pop();
      if (name === undefined || type === undefined) continue;
      fields.push({
        name: [...path, name].join("."),
        type: type === "{" ? "object" : type.replace(" | undefined", ""),
        isOptional: optional !== undefined,
        comment,
      });
      comment = "";
      if (type === "{") path.push(name);
    }
  }
  return fields;
}

function fieldsOf(declared: ReadonlyMap<string, Declared>, name: string): Field[] {
  const { base, fields } = declared.get(name) ?? { base: undefined, fields: [] };
  const own = fields.flatMap((field) => {
    const shape = declared.get(field.type.replace("[]", ""));
    const entry = field.type.endsWith("[]") ? `${field.name}[]` : field.name;
    if (shape === undefined) return [field];
    const below = shape.fields.map((inner) => ({ ...inner, name: `${entry}.${inner.name}` }));
    return [{ ...field, type: field.type.endsWith("[]") ? "list of objects" : "object" }, ...below];
  });
  return [...own, ...(base === undefined ? [] : fieldsOf(declared, base))];
}

function rowOf({ name, type, isOptional, comment }: Field): string[] {
  const literal = /^"(\w+)"$/.exec(type)?.[1];
  return [
    code(name),
    literal === undefined ? typeWords(type) : code(type),
    isOptional ? "no" : "yes",
    comment,
  ];
}

function typeWords(type: string): string {
  if (/^Record<string, unknown>$/.test(type)) return "object";
  if (type === "ErrorCode" || type === "FinishReason")
    return "a code, as [the protocol](../protocol.md) lists them";
  return type === "unknown" ? "any" : type;
}

function isOfServer(declared: ReadonlyMap<string, Declared>, name: string): boolean {
  return ["Stamped", "OfTurn"].includes(declared.get(name)?.base ?? "");
}

function headingOf(name: string, declared: ReadonlyMap<string, Declared>): string {
  const type = declared.get(name)?.fields.find((field) => field.name === "type")?.type ?? "";
  const word = type.replaceAll('"', "");
  if (word !== "error") return word;
  return name === "TurnErrorFrame" ? "error of a turn" : "error of a connection";
}

function plain(comment: string): string {
  const text = comment
    .replaceAll(/\n\s*\* ?/g, " ")
    .replaceAll(/\s+/g, " ")
    .trim();
  return text === "" ? "" : sentence(text);
}
