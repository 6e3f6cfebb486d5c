/**
 * Makes of what servers answer what the client's strict schemas accept: one tool that is wrong must not lose the others, and what
 * cannot be shown to a model becomes a line that says so.
 */
import { z } from "zod";
import { isTooDeep } from "../../promptpack/document/json-depth.ts";
import { MAX_TOOL_DESCRIPTION_CHARACTERS, MAX_TOOL_NAME_CHARACTERS } from "../server/limits.ts";

const SHOWN_NAME_CHARACTERS = 64;
const BYTES_PER_BASE64_CHARACTER = 0.75;

const text = z.string().nullish().catch(undefined);

const toolSchema = z.object({
  name: z.string().min(1).max(MAX_TOOL_NAME_CHARACTERS),
  title: text,
  description: text,
  inputSchema: z.looseObject({ type: z.literal("object").optional() }).nullish(),
});

const blockSchema = z.object({
  type: z.string(),
  text,
  mimeType: text,
  data: text,
  name: text,
  uri: text,
  resource: z.object({ text, mimeType: text, blob: text, uri: text }).nullish().catch(undefined),
});

export interface LenientResult {
  readonly result: Record<string, unknown>;
  /** The names of the tools that were left out. */
  readonly unusable: readonly string[];
}

/** Takes the result of any request. What is no list of tools and no answer of a tool is left as it is. */
export function lenientResult(result: Readonly<Record<string, unknown>>): LenientResult {
  if (Array.isArray(result["tools"])) {
    const read = (result["tools"] as unknown[]).map(readTool);
    return {
      result: { ...result, tools: read.flatMap(({ tool }) => tool ?? []) },
      unusable: read.flatMap(({ unusable }) => unusable ?? []),
    };
  }
  const { content, structuredContent } = result;
  if (content === undefined && structuredContent === undefined) return { result, unusable: [] };
  const structured = readStructured(structuredContent);
  const blocks = (Array.isArray(content) ? (content as unknown[]) : [content]).flatMap(
    (block) => lineOf(block) ?? [],
  );
  const lines = structured.line === undefined ? blocks : [structured.line];
  return {
    result: {
      ...result,
      content: lines.map((line) => ({ type: "text", text: line })),
      structuredContent: structured.value,
    },
    unusable: [],
  };
}

/** Some servers structure an answer as a list, or deeper than the client's schemas can follow. It is told as text. */
function readStructured(content: unknown): { value?: object; line?: string } {
  if (content === undefined || content === null) return {};
  if (typeof content === "object" && !Array.isArray(content) && !isTooDeep(content)) {
    return { value: content };
  }
  return { line: JSON.stringify(content) };
}

function readTool(value: unknown): { tool?: object; unusable?: string } {
  const read = toolSchema.safeParse(value);
  if (!read.success || isTooDeep(read.data.inputSchema)) return { unusable: nameOf(value) };
  const { name, title, description, inputSchema } = read.data;
  const said = (description ?? title ?? name).toWellFormed();
  return {
    tool: {
      name,
      description: said.slice(0, MAX_TOOL_DESCRIPTION_CHARACTERS).toWellFormed(),
      inputSchema: { ...inputSchema, type: "object" },
    },
  };
}

function nameOf(value: unknown): string {
  const { name } = (value ?? {}) as { name?: unknown };
  return typeof name === "string" ? name.slice(0, SHOWN_NAME_CHARACTERS) : "a tool without a name";
}

/** A block of an answer as text. `undefined`: there is nothing in it. */
function lineOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  const read = blockSchema.safeParse(value);
  if (!read.success) return undefined;
  const { type, text: said, mimeType, data, name, uri, resource } = read.data;
  switch (type) {
    case "text":
      return said ?? undefined;
    case "resource":
      return resource?.text ?? notShown(resource?.mimeType ?? type, resource?.blob);
    case "resource_link":
      return `[link to a resource: ${[name, uri].filter(Boolean).join(", ")}]`;
    default:
      return notShown(mimeType ?? type, data);
  }
}

function notShown(what: string, base64: string | null | undefined): string {
  if (base64 == null) return `[${what}, not shown]`;
  const kilobytes = Math.max(1, Math.round((base64.length * BYTES_PER_BASE64_CHARACTER) / 1000));
  return `[${what}, ${kilobytes} kB, not shown]`;
}
