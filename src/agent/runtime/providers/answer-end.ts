/**
 * How an answer ended, by the words of its server. A word that nobody knows is no success: behind it may stand an error, and
 * then the answer is half of one, and its tool calls are not to be run.
 */
import type { LanguageModelV4FinishReason } from "@ai-sdk/provider";
import { MAX_FINISH_REASON_CHARACTERS } from "../../contracts/limits.ts";

export type AnswerEnd =
  /** The model said all that it wanted to, or calls tools. */
  | { type: "complete" }
  | { type: "length" }
  /** A filter of the provider withheld the rest. */
  | { type: "content-filter" }
  /** The stream ended and did not say how the answer did. */
  | { type: "interrupted" }
  /** The server's own word, short and harmless enough to be shown. Undefined when it gave none. */
  | { type: "failed"; word: string | undefined };

/** `raw` is the word of the server, and `unified` what the provider's package makes of it. */
export function endOfAnswer({ unified, raw }: LanguageModelV4FinishReason): AnswerEnd {
  // Some servers write the name of the enumeration before the word.
  const type = END_BY_WORD.get(plain(raw ?? "").replace(/^finishreason/, ""));
  if (type !== undefined) return { type };
  switch (unified) {
    case "stop":
      return { type: "complete" };
    case "tool-calls":
      // The package takes an answer that a server calls incomplete for one that calls tools.
      return raw === undefined ? { type: "complete" } : { type: "failed", word: shown(raw) };
    case "length":
      return { type: "length" };
    case "content-filter":
      // A model that declines in its own words has said all that it wanted to.
      return { type: raw === undefined ? "complete" : "content-filter" };
    case "interrupted":
      return { type: "interrupted" };
    case "error":
    case "other":
      return raw?.trim() === "" ? { type: "interrupted" } : { type: "failed", word: shown(raw) };
  }
}

/** What servers write that speak one of the protocols and have words of their own. Compared by letters and digits only. */
const WORDS = {
  complete: [
    "stop",
    "stopped",
    "stop_sequence",
    "stop_sequences",
    "stop_token",
    "stop_word",
    "stop_str",
    "end",
    "end_turn",
    "end_of_turn",
    "end_of_text",
    "end_of_sequence",
    "eos",
    "eos_token",
    "eos_found",
    "eot",
    "eot_id",
    "eot_token",
    "im_end",
    "complete",
    "completed",
    "done",
    "finish",
    "finished",
    "normal",
    "success",
    "tool_call",
    "tool_calls",
    "tool_use",
    "function_call",
    "function_calls",
    "requires_action",
  ],
  length: [
    "length",
    "max_length",
    "max_tokens",
    "max_new_tokens",
    "max_output_tokens",
    "max_completion_tokens",
    "max_context_length",
    "model_length",
    "model_context_window_exceeded",
    "context_length",
    "token_limit",
  ],
  "content-filter": [
    "content_filter",
    "content_filtered",
    "content_filter_stop",
    "content_policy",
    "content_policy_violation",
    "filtered",
    "safety",
    "blocked",
    "blocklist",
    "moderation",
    "sensitive",
    "guardrail",
    "guardrails",
    "guardrail_intervened",
    "model_armor",
    "prohibited_content",
    "prompt_blocked",
    "image_prohibited_content",
    "recitation",
    "image_recitation",
    "refusal",
    "spii",
    "error_toxic",
  ],
} as const;

const END_BY_WORD: ReadonlyMap<string, keyof typeof WORDS> = new Map(
  (Object.keys(WORDS) as (keyof typeof WORDS)[]).flatMap((type) =>
    WORDS[type].map((word) => [plain(word), type] as const),
  ),
);

function plain(word: string): string {
  return word.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}

/** The word may come from anywhere, so little of it is shown. */
function shown(raw: string | undefined): string | undefined {
  const word = raw?.replaceAll(/[^\w.-]/g, "").slice(0, MAX_FINISH_REASON_CHARACTERS);
  return word === "" ? undefined : word;
}
