/**
 * What of an answer that is an error is the tool's own word, and so is told to the model and to the person who chats. Whatever stands
 * before a tool answers errors too, with pages that name machines and addresses: of those nothing is told but the status.
 */
import { isTooDeep } from "../../promptpack/document/json-depth.ts";
import { wellFormedJSON } from "../../promptpack/document/well-formed-json.ts";
import { withoutAddresses } from "../server/without-addresses.ts";

/** Of an answer that is plain text. A longer text is a page. */
export const MAX_OWN_TEXT_CHARACTERS = 512;
/** Proxies and gateways answer with these by themselves. */
const ANSWERED_BEFORE_THE_TOOL: ReadonlySet<number> = new Set([401, 403, 407]);
const MARKUP = /<[a-z!/?]/i;

export interface ErrorAnswer {
  readonly status: number;
  readonly contentType: string | undefined;
  /** The whole of it. `undefined`: it is too long to be read. */
  readonly text: string | undefined;
}

/** `undefined`: nothing of it is told. */
export function ownWords({ status, contentType = "", text = "" }: ErrorAnswer): string | undefined {
  if (status < 400 || status > 499 || ANSWERED_BEFORE_THE_TOOL.has(status)) return undefined;
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  if (isJSONType(contentType)) return jsonWords(trimmed);
  const isText = /^text\/plain\s*(;|$)/i.test(contentType.trim());
  if (!isText || trimmed.length > MAX_OWN_TEXT_CHARACTERS || MARKUP.test(trimmed)) return undefined;
  return withoutAddresses(trimmed);
}

export function isJSONType(contentType: string): boolean {
  return /^[\w.-]+\/([\w.-]+\+)?json\s*(;|$)/i.test(contentType.trim());
}

/** JSON that is not whole was not written by the tool. */
function jsonWords(text: string): string | undefined {
  try {
    const value = JSON.parse(wellFormedJSON(text)) as unknown;
    return isTooDeep(value) ? undefined : JSON.stringify(inEachText(value));
  } catch {
    return undefined;
  }
}

/** The value is not nested too deeply. */
function inEachText(value: unknown): unknown {
  if (typeof value === "string") return withoutAddresses(value);
  if (Array.isArray(value)) return value.map(inEachText);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).map(([key, field]) => [
    withoutAddresses(key),
    inEachText(field),
  ]);
  return Object.fromEntries(fields);
}
