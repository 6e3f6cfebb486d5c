/**
 * Turns the messages of a session into the prompt for a provider. Every provider accepts the prompt, however the earlier
 * turns ended: each tool call has exactly one result right after it, and no user message follows another one.
 */
import type {
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4ToolResultOutput,
  SharedV4ProviderOptions,
} from "@ai-sdk/provider";
import type {
  AssistantMessage,
  HistoryMessage,
  HistoryToolCall,
  ToolMessage,
} from "../../sessions/history-message.ts";

/** The text in place of an answer when the turn failed or was cancelled before the first word. */
export const NO_ANSWER = "(no answer)";
/** The text in place of an empty message, which Anthropic refuses. */
export const NO_TEXT = "(empty message)";
/** The result of a tool call whose turn ended before the call did. */
export const UNKNOWN_OUTCOME = "the call was interrupted; whether it had an effect is not known";

/**
 * The `providerMetadata` of an assistant message: the parts of the model's answer in their order, for providers that want them
 * back unchanged (with the signatures of thoughts and the like). Another model cannot use them.
 */
export interface AnswerParts extends Record<string, unknown> {
  provider: string;
  model: string;
  parts: AnswerPart[];
  /** Fields of the message that a server of chat completions wants back, under its own names. */
  returned?: SharedV4ProviderOptions[string] | undefined;
}
export type AnswerPart =
  /** The next `length` characters of the message's content. */
  | { type: "text"; length: number; options?: SharedV4ProviderOptions }
  | { type: "reasoning"; text: string; options: SharedV4ProviderOptions }
  | { type: "tool-call"; id: string };

type AssistantContent = Extract<LanguageModelV4Message, { role: "assistant" }>["content"];
type ToolContent = Extract<LanguageModelV4Message, { role: "tool" }>["content"];

export interface PromptSource {
  /** The provider and the model that are asked. Parts that another model made are left out. */
  provider: string;
  model: string;
  /** Whether the model is offered tools. Without them, calls of earlier turns are left out: not every server accepts them then. */
  offersTools: boolean;
}

export function toPrompt(
  system: string,
  messages: readonly HistoryMessage[],
  source: PromptSource,
): LanguageModelV4Prompt {
  const prompt: LanguageModelV4Prompt = [];
  if (system.trim() !== "") prompt.push({ role: "system", content: system });
  for (let index = 0; index < messages.length; index += 1) {
    const message = messages[index] as HistoryMessage;
    switch (message.role) {
      case "user": {
        const last = prompt.at(-1)?.role;
        if (last === "user" || last === "tool") {
          prompt.push({ role: "assistant", content: [{ type: "text", text: NO_ANSWER }] });
        }
        // A client can send half a surrogate pair in JSON. Providers would refuse every request with it.
        const text = message.content.trim() === "" ? NO_TEXT : message.content.toWellFormed();
        prompt.push({ role: "user", content: [{ type: "text", text }] });
        break;
      }
      case "assistant": {
        const calls = source.offersTools ? (message.toolCalls ?? []) : [];
        const content = assistantContent(message, calls, source);
        const returned = calls.length > 0 ? partsOf(message, source)?.returned : undefined;
        // The package of compatible servers writes these options into the message.
        const fields = returned && { providerOptions: { openaiCompatible: returned } };
        if (content.length > 0) prompt.push({ role: "assistant", content, ...fields });
        if (calls.length > 0) {
          const results = resultsAfter(messages, index);
          prompt.push({
            role: "tool",
            content: calls.map((call) => toolResult(call, results, source)),
          });
        }
        break;
      }
      case "tool":
        // It was added with the assistant message that made the call. One without such a message is left out.
        break;
    }
  }
  return prompt;
}

function assistantContent(
  message: AssistantMessage,
  calls: readonly HistoryToolCall[],
  source: PromptSource,
): AssistantContent {
  const content: AssistantContent = [];
  const callsLeft = new Map(calls.map((call) => [call.id, call]));
  let position = 0;

  function addText(length: number, options?: SharedV4ProviderOptions): void {
    const text = message.content.slice(position, position + length);
    position += length;
    // Anthropic refuses blank text. A text with options is kept, since they may contain a signature.
    if (text.trim() === "" && options === undefined) return;
    content.push({
      type: "text",
      text,
      ...(options === undefined ? {} : { providerOptions: options }),
    });
  }
  function addCall(id: string): void {
    const call = callsLeft.get(id);
    if (call === undefined) return;
    callsLeft.delete(id);
    content.push({
      type: "tool-call",
      toolCallId: callId(id, source),
      toolName: call.name,
      input: call.arguments,
      ...(call.providerMetadata === undefined
        ? {}
        : { providerOptions: call.providerMetadata as SharedV4ProviderOptions }),
    });
  }

  for (const part of partsOf(message, source)?.parts ?? []) {
    if (part.type === "text") addText(part.length, part.options);
    else if (part.type === "tool-call") addCall(part.id);
    else content.push({ type: "reasoning", text: part.text, providerOptions: part.options });
  }
  addText(message.content.length - position);
  for (const id of callsLeft.keys()) addCall(id);
  return content;
}

/** The parts of the answer as the model gave them, if it is the model that is asked now. */
function partsOf(message: AssistantMessage, source: PromptSource): AnswerParts | undefined {
  const kept = message.providerMetadata as AnswerParts | undefined;
  return kept?.provider === source.provider && kept.model === source.model ? kept : undefined;
}

function resultsAfter(
  messages: readonly HistoryMessage[],
  index: number,
): Map<string, ToolMessage> {
  const results = new Map<string, ToolMessage>();
  for (const message of messages.slice(index + 1)) {
    if (message.role !== "tool") break;
    results.set(message.toolCallId, message);
  }
  return results;
}

function toolResult(
  call: HistoryToolCall,
  results: ReadonlyMap<string, ToolMessage>,
  source: PromptSource,
): ToolContent[number] {
  return {
    type: "tool-result",
    toolCallId: callId(call.id, source),
    toolName: call.name,
    output: toolOutput(results.get(call.id)),
  };
}

function toolOutput(message: ToolMessage | undefined): LanguageModelV4ToolResultOutput {
  if (message === undefined) return { type: "error-text", value: UNKNOWN_OUTCOME };
  if (message.error !== undefined)
    return { type: "error-text", value: message.error.toWellFormed() };
  if (typeof message.result === "string") {
    return { type: "text", value: message.result.toWellFormed() };
  }
  return {
    type: "json",
    // The value is JSON, since it came from the tool or from the session store.
    value: (message.result ?? null) as Extract<
      LanguageModelV4ToolResultOutput,
      { type: "json" }
    >["value"],
  };
}

/** Anthropic refuses ids that contain a dot or a colon, as those of other servers may. */
function callId(id: string, source: PromptSource): string {
  return source.provider === "anthropic" ? id.replaceAll(/[^\w-]/g, "_") : id;
}
