import { isTooDeep } from "../../promptpack/document/json-depth.ts";
import { MAX_TOOL_ERROR_BYTES, MAX_TOOL_OUTPUT_BYTES } from "../server/limits.ts";
import type { ToolOutcome } from "../server/tool-outcome.ts";
import { withoutAddresses } from "../server/without-addresses.ts";

/** An answer as `lenientResult` leaves it. */
export interface McpAnswer {
  readonly content?:
    | readonly { readonly type: string; readonly text?: string | undefined }[]
    | undefined;
  readonly structuredContent?: unknown;
  readonly isError?: boolean | undefined;
}

export interface CallOutcomeOptions {
  /** Bytes of an answer that is no error. */
  readonly responseLimit: number | undefined;
  /** Takes out what must not come back. */
  readonly clean: (text: string) => string;
}

/** The structured content of an answer, or else its text: they say the same. */
export function callOutcome(
  { content = [], structuredContent, isError }: McpAnswer,
  { responseLimit = MAX_TOOL_OUTPUT_BYTES, clean }: CallOutcomeOptions,
): ToolOutcome {
  const text = content.map((block) => block.text ?? "").join("\n");
  if (isError === true) {
    const limit = Math.min(responseLimit, MAX_TOOL_ERROR_BYTES);
    const said = text.trim() === "" ? "the tool failed and does not say why" : text;
    return { error: shortened(withoutAddresses(clean(said)), limit) };
  }
  if (structuredContent === undefined || structuredContent === null) {
    return { result: text === "" ? null : shortened(clean(text), responseLimit) };
  }
  const written = JSON.stringify(structuredContent);
  const said = clean(written);
  if (Buffer.byteLength(said) > responseLimit || isTooDeep(structuredContent)) {
    return { result: shortened(said, responseLimit) };
  }
  return { result: said === written ? structuredContent : parsedOrText(said) };
}

/** Half a character at the cut is left out. */
function shortened(text: string, limit: number): string {
  const whole = text.toWellFormed();
  const bytes = Buffer.from(whole);
  if (bytes.length <= limit) return whole;
  const kept = new TextDecoder().decode(bytes.subarray(0, limit), { stream: true });
  return `${kept}\n[cut off after ${limit} bytes]`;
}

function parsedOrText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
