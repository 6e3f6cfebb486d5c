import { isTooDeep } from "../../promptpack/document/json-depth.ts";
import { MAX_TOOL_ERROR_BYTES, MAX_TOOL_OUTPUT_BYTES } from "../server/limits.ts";
import { wellFormedJSON } from "../../promptpack/document/well-formed-json.ts";
import type { TransportResponse } from "../server/guarded-transport.ts";
import { readText } from "../server/read-text.ts";
import type { ToolOutcome } from "../server/tool-outcome.ts";

export interface ReadOutcomeOptions {
  readonly secrets: readonly string[];
  /** Bytes of an answer that is no error. */
  readonly responseLimit: number | undefined;
}

/** Rejects when the answer breaks off. */
export async function readOutcome(
  { status, headers, body }: TransportResponse,
  { secrets, responseLimit = MAX_TOOL_OUTPUT_BYTES }: ReadOutcomeOptions,
): Promise<ToolOutcome> {
  const isOk = status >= 200 && status < 300;
  const limit = isOk ? responseLimit : Math.min(responseLimit, MAX_TOOL_ERROR_BYTES);
  const { text, truncated } = await readText(body, limit, secrets);
  const content = truncated ? `${text}\n[cut off after ${limit} bytes]` : text;
  if (!isOk) {
    const said = content.trim() === "" ? "" : `: ${content.trim()}`;
    return { error: `the tool answered HTTP ${status}${said}` };
  }
  if (truncated) return { result: content };
  if (text === "") return { result: null };
  const type = headers["content-type"];
  const isJSON = type === undefined || /\bjson\b/i.test(String(type));
  return { result: isJSON ? parsedOrText(text) : text };
}

/** What is nested too deep stays text, since the provider's package and the stores walk through a result by recursion. */
function parsedOrText(text: string): unknown {
  try {
    const value = JSON.parse(wellFormedJSON(text)) as unknown;
    return isTooDeep(value) ? text : value;
  } catch {
    return text;
  }
}
