/**
 * Turns the messages of a session into the prompt for a provider. Every provider accepts the prompt, however the earlier
 * turns ended: the first message is the user's, each tool call has an id of its own and exactly one result right after it, a
 * result is followed by a message of the model, and otherwise users and the model take turns.
 */
import type {
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4ToolResultOutput,
  SharedV4ProviderOptions,
} from "@ai-sdk/provider";
import type { ProviderName } from "../../../agent-config/agent-config.ts";
import type {
  AssistantMessage,
  HistoryMessage,
  HistoryToolCall,
  ToolMessage,
} from "../../sessions/history-message.ts";
import { MAX_TOOL_NAME_CHARACTERS } from "../../contracts/limits.ts";
import { WireCallIds } from "./wire-call-ids.ts";

/**
 * Follows a user's message whose turn failed or was cancelled before the first word, in one message with the next one. It
 * stands in the user's message, since a model repeats what it seems to have said itself.
 */
export const NOT_ANSWERED = "[The message above was not answered. The next message follows.]";
/** What the model says after the results of its calls when the turn failed or was cancelled before it said anything. */
export const RESULTS_NOT_USED =
  "I got the results of these calls, and was interrupted before I could answer with them.";
/** The user's message in place of those before a history that does not begin with one. */
export const BEGINNING_NOT_KNOWN = "[The beginning of this conversation is not known.]";
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
  /** `serverId`: the id that the server gave, where it is too long to be the call's id with others. */
  | { type: "tool-call"; id: string; serverId?: string };

type AssistantContent = Extract<LanguageModelV4Message, { role: "assistant" }>["content"];
type ToolContent = Extract<LanguageModelV4Message, { role: "tool" }>["content"];

export interface PromptSource {
  /** The provider and the model that are asked. Parts that another model made are left out. */
  provider: ProviderName;
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
  const wireIds = new WireCallIds(source.provider);
  for (const [index, message] of messages.entries()) {
    switch (message.role) {
      case "user":
        // A client can send half a surrogate pair in JSON. Providers would refuse every request with it.
        addUserText(
          prompt,
          message.content.trim() === "" ? NO_TEXT : message.content.toWellFormed(),
        );
        break;
      case "assistant": {
        const kept = partsOf(message, source);
        const parts = kept?.parts ?? [];
        const calls = source.offersTools ? callsOf(message, parts, wireIds) : [];
        const returned = calls.length > 0 ? kept?.returned : undefined;
        // The package of compatible servers writes these options into the message.
        const options = returned && { openaiCompatible: returned };
        addAnswer(prompt, assistantContent(message, parts, calls), options);
        if (calls.length > 0) {
          const results = resultsAfter(messages, index);
          const content = calls.map((call) => toolResult(call, results));
          prompt.push({ role: "tool", content });
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

function addUserText(prompt: LanguageModelV4Prompt, text: string): void {
  const last = prompt.at(-1);
  if (last?.role === "user") {
    // Only texts are added to users' messages.
    const before = last.content.map((part) => (part.type === "text" ? part.text : "")).join("");
    last.content = [{ type: "text", text: [before, NOT_ANSWERED, text].join(PARAGRAPH) }];
    return;
  }
  if (last?.role === "tool") {
    prompt.push({ role: "assistant", content: [{ type: "text", text: RESULTS_NOT_USED }] });
  }
  prompt.push({ role: "user", content: [{ type: "text", text }] });
}

function addAnswer(
  prompt: LanguageModelV4Prompt,
  content: AssistantContent,
  options: SharedV4ProviderOptions | undefined,
): void {
  // A thought alone is no message.
  if (content.every(({ type }) => type === "reasoning")) return;
  const last = prompt.at(-1);
  if (last === undefined || last.role === "system") addUserText(prompt, BEGINNING_NOT_KNOWN);
  const message = { role: "assistant" as const, ...(options && { providerOptions: options }) };
  if (last?.role !== "assistant") prompt.push({ ...message, content });
  else prompt.splice(-1, 1, { ...last, ...message, content: joined(last.content, content) });
}

const PARAGRAPH = "\n\n";

/** Two answers as one message. Some packages join the texts of a message with nothing in between. */
function joined(before: AssistantContent, after: AssistantContent): AssistantContent {
  const beforeAt = before.findLastIndex(({ type }) => type === "text");
  const afterAt = after.findIndex(({ type }) => type === "text");
  const [end, begin] = [before[beforeAt], after[afterAt]];
  if (end?.type !== "text" || begin?.type !== "text") return [...before, ...after];
  // A text with options may be signed as it is.
  if (end.providerOptions === undefined) {
    return [...before.with(beforeAt, { ...end, text: end.text + PARAGRAPH }), ...after];
  }
  if (begin.providerOptions !== undefined) return [...before, ...after];
  return [...before, ...after.with(afterAt, { ...begin, text: PARAGRAPH + begin.text })];
}

/** A call, with the id that it has in the request. */
interface WireCall extends HistoryToolCall {
  readonly wireId: string;
}

function callsOf(
  { toolCalls = [] }: AssistantMessage,
  parts: readonly AnswerPart[],
  wireIds: WireCallIds,
): WireCall[] {
  const serverIds = new Map(
    parts.flatMap((part) => (part.type === "tool-call" ? [[part.id, part.serverId]] : [])),
  );
  const calls = new Map(toolCalls.map((call) => [call.id, call]));
  return [...calls.values()].map((call) => ({
    ...call,
    wireId: wireIds.next(call.id, serverIds.get(call.id)),
  }));
}

function assistantContent(
  message: AssistantMessage,
  parts: readonly AnswerPart[],
  calls: readonly WireCall[],
): AssistantContent {
  const content: AssistantContent = [];
  const callsLeft = new Map(calls.map((call) => [call.id, call]));
  let position = 0;

  function addText(length: number, options?: SharedV4ProviderOptions): void {
    // A model may be cut off within a character, and begin the next text in the middle of one.
    const text = message.content.slice(position, position + length).toWellFormed();
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
      toolCallId: call.wireId,
      toolName: wireName(call.name),
      input: call.arguments,
      ...(call.providerMetadata === undefined
        ? {}
        : { providerOptions: call.providerMetadata as SharedV4ProviderOptions }),
    });
  }

  for (const part of parts) {
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
  for (let at = index + 1; ; at += 1) {
    const message = messages[at];
    if (message?.role !== "tool") return results;
    results.set(message.toolCallId, message);
  }
}

function toolResult(
  call: WireCall,
  results: ReadonlyMap<string, ToolMessage>,
): ToolContent[number] {
  return {
    type: "tool-result",
    toolCallId: call.wireId,
    toolName: wireName(call.name),
    output: toolOutput(results.get(call.id)),
  };
}

/** A model may call a tool by a name that no tool can have. Providers would refuse every later request with it. */
function wireName(name: string): string {
  return name.replaceAll(/[^\w-]/g, "_").slice(0, MAX_TOOL_NAME_CHARACTERS) || "tool";
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
