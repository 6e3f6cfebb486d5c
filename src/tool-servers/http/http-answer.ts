import { isTooDeep } from "../../promptpack/document/json-depth.ts";
import { wellFormedJSON } from "../../promptpack/document/well-formed-json.ts";
import type { TransportResponse } from "../server/guarded-transport.ts";
import { MAX_TOOL_ERROR_BYTES, MAX_TOOL_OUTPUT_BYTES } from "../server/limits.ts";
import { readText } from "../server/read-text.ts";
import type { ToolOutcome } from "../server/tool-outcome.ts";
import { isJSONType, ownWords } from "./own-words.ts";

export interface ReadOutcomeOptions {
  readonly secrets: readonly string[];
  /** Bytes of an answer that is no error. */
  readonly responseLimit: number | undefined;
  /** Whether a page of HTML is an answer of the tool, and not that of something before it. */
  readonly takesHTML: boolean;
}

/** Rejects when the answer breaks off. */
export async function readOutcome(
  { status, headers, body }: TransportResponse,
  { secrets, responseLimit = MAX_TOOL_OUTPUT_BYTES, takesHTML }: ReadOutcomeOptions,
): Promise<ToolOutcome> {
  const contentType = headers["content-type"]?.toString();
  if (status < 200 || status > 299) {
    const { text, truncated } = await readText(body, MAX_TOOL_OUTPUT_BYTES, secrets);
    const said = ownWords({ status, contentType, text: truncated ? undefined : text });
    const words = said === undefined ? "" : `: ${cutOff(said, responseLimit)}`;
    return { error: `the tool answered HTTP ${status}${words}` };
  }
  if (!takesHTML && /^\s*(text\/html|application\/xhtml\+xml)\b/i.test(contentType ?? "")) {
    body.destroy();
    return { error: "the tool answered with a page of HTML, which its document does not offer" };
  }
  const { text, truncated } = await readText(body, responseLimit, secrets);
  if (truncated) return { result: `${text}\n[cut off after ${responseLimit} bytes]` };
  if (text === "") return { result: null };
  const mayBeJSON = contentType === undefined || /\bjson\b/i.test(contentType);
  const answer = mayBeJSON ? parsed(text) : undefined;
  if (answer !== undefined) return { result: answer.value };
  const claimsJSON = contentType !== undefined && isJSONType(contentType);
  return claimsJSON ? { error: "the tool's answer is no whole JSON" } : { result: text };
}

/** What is nested too deep stays text, since the provider's package and the stores walk through a result by recursion. */
function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    const value = JSON.parse(wellFormedJSON(text)) as unknown;
    return { value: isTooDeep(value) ? text : value };
  } catch {
    return undefined;
  }
}

function cutOff(text: string, responseLimit: number): string {
  const limit = Math.min(responseLimit, MAX_TOOL_ERROR_BYTES);
  const bytes = Buffer.from(text);
  if (bytes.length <= limit) return text;
  // Half a character at the cut is left out.
  const cut = new TextDecoder().decode(bytes.subarray(0, limit), { stream: true });
  return `${cut}\n[cut off after ${limit} bytes]`;
}
