/** One answer of the model: requests it, reads its stream, and requests it again when the provider failed before the first word. */
import type {
  LanguageModelV4CallOptions,
  LanguageModelV4StreamPart,
  LanguageModelV4ToolCall,
  LanguageModelV4Usage,
  SharedV4ProviderMetadata,
  SharedV4ProviderOptions,
  SharedV4Warning,
} from "@ai-sdk/provider";
import { exponentialBackoff, jittered } from "../../../time/backoff.ts";
import type { Clock } from "../../../time/clock.ts";
import type { Log } from "../../../observability/log.ts";
import { MAX_PROVIDER_RETRIES, MAX_PROVIDER_RETRY_WAIT_MS } from "../../contracts/limits.ts";
import { endOfAnswer, type AnswerEnd } from "./answer-end.ts";
import type { ModelConnection } from "./model-connection.ts";
import { offeredName } from "./offered-name.ts";
import type { AnswerPart, AnswerParts } from "./prompt.ts";
import {
  describeProviderFailure,
  ProviderFailedError,
  providerTurnError,
  type ProviderFailure,
} from "./provider-error.ts";
import { joinSplitNames } from "./split-names.ts";
import { streamErrorOf } from "./stream-error.ts";
import { RETURNED_FIELDS } from "./stream/returned-fields.ts";
import { openBypass } from "./stream/text-bypass.ts";
import { WholeCharacters } from "./whole-characters.ts";

const BACKOFF = exponentialBackoff({ firstMs: 500, lastMs: MAX_PROVIDER_RETRY_WAIT_MS });

export interface StepToolCall {
  /** As the server gave it, until the tool loop has given the call an id of its own in the session. */
  id: string;
  name: string;
  /** As the model wrote it. It should be JSON, and may not be. */
  input: string;
  providerMetadata?: SharedV4ProviderMetadata | undefined;
}

/** What the model has said so far. It is complete when `streamModelStep` has returned. */
export interface ModelStep {
  text: string;
  toolCalls: StepToolCall[];
  /** The nth part of a call is that of the nth call. */
  parts: AnswerPart[];
  /** Whether the model has generated anything, be it not yet whole. */
  hasBegun: boolean;
  end?: AnswerEnd | undefined;
  usage?: LanguageModelV4Usage | undefined;
  /** Fields of the message that its server wants back, if it has any. */
  returned?: SharedV4ProviderOptions[string] | undefined;
}

export function newModelStep(): ModelStep {
  return { text: "", toolCalls: [], parts: [], hasBegun: false };
}

export interface StepContext {
  connection: ModelConnection;
  options: LanguageModelV4CallOptions;
  signal: AbortSignal;
  /** Takes the answer's text as it comes. Settles when there may be more of it. */
  onText: (text: string) => Promise<void> | undefined;
  clock: Pick<Clock, "now" | "sleep">;
  random: () => number;
  log: Log;
  /** Is called when a request failed that is made again. */
  onAskedAgain?: (() => void) | undefined;
}

/**
 * Hands the answer's text on as it comes, and adds all parts of the answer to `step`, which has what was said also after a
 * failure. The provider's stream is read only as fast as the text is taken. Rejects with a TurnError when the provider failed,
 * and with the signal's reason when that was aborted.
 */
export async function streamModelStep(step: ModelStep, context: StepContext): Promise<void> {
  const { connection, signal, clock, log } = context;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await readAnswer(step, context);
      return;
    } catch (error) {
      signal.throwIfAborted();
      const failure = describeProviderFailure(error, {
        modelId: connection.modelId,
        now: clock.now(),
      });
      const wait = retryWait(failure, attempt, context.random);
      if (wait === undefined || step.hasBegun) {
        throw providerTurnError(failure, connection.provider);
      }
      const { reason, status, code } = failure;
      log.warn(
        {
          provider: connection.provider,
          model: connection.modelId,
          reason,
          status,
          code,
          attempt,
        },
        "The provider failed before its first word; the request is made again",
      );
      context.onAskedAgain?.();
      await clock.sleep(wait, signal);
    }
  }
}

/** The milliseconds until the next attempt. Undefined when there is to be none. */
function retryWait(
  failure: ProviderFailure,
  attempt: number,
  random: () => number,
): number | undefined {
  if (!failure.retryable || attempt > MAX_PROVIDER_RETRIES) return undefined;
  const wait = Math.max(
    jittered(BACKOFF, random)(attempt),
    (failure.retryAfterSeconds ?? 0) * 1000,
  );
  return wait > MAX_PROVIDER_RETRY_WAIT_MS ? undefined : wait;
}

type TextPart = Extract<AnswerPart, { type: "text" }>;

async function readAnswer(step: ModelStep, context: StepContext): Promise<void> {
  const { connection, options, signal, onText } = context;
  const open = new Map<string, AnswerPart>();
  const characters = new WholeCharacters();
  /** Of the text that was made last. */
  let id = "";

  /** The text that was made last, as long as only its pieces come. */
  let block: TextPart | undefined;

  function take(part: LanguageModelV4StreamPart): Promise<void> | undefined {
    block = undefined;
    if (part.type === "text-delta") part.delta = characters.take(part.delta);
    const text = takePart(step, open, part);
    return text === "" ? undefined : onText(text);
  }

  /** Takes a piece of the text that was made last. */
  function takePiece(piece: string): Promise<void> | undefined {
    block ??= openBlock(step, open, `text ${id}`, { type: "text", length: 0 });
    const text = characters.take(piece);
    block.length += text.length;
    step.text += text;
    return text === "" ? undefined : onText(text);
  }

  const bypass = openBypass(signal, takePiece);
  const { stream } = await connection.model.doStream({
    ...connection.callOptions,
    ...options,
    abortSignal: signal,
  });
  const reader = stream.getReader();
  try {
    for (;;) {
      bypass.isReaderWaiting = true;
      const { done, value } = await reader.read();
      bypass.isReaderWaiting = false;
      if (done) break;
      if (value.type === "stream-start") warnOnce(value.warnings, context);
      if (value.type === "error") throw withStatus(value.error);
      if (value.type === "text-delta") {
        id = value.id;
        bypass.onMade(value.delta);
      }
      const room = take(value);
      if (room !== undefined) await room;
    }
  } finally {
    bypass.isReaderWaiting = false;
    // This is not awaited, since a broken stream may never settle it.
    reader.cancel().catch(() => {});
  }
  if (connection.hidesLength === true && usedAllTokens(step, options)) {
    step.end = { type: "length" };
  }
  const names = new Set(options.tools?.map(({ name }) => name));
  Object.assign(step, joinSplitNames(step, names));
  for (const call of step.toolCalls) call.name = offeredName(call.name, names);
  checkEnd(step);
}

/** An answer with calls is left out, since they came whole. */
function usedAllTokens(
  { end, usage, toolCalls }: ModelStep,
  { maxOutputTokens }: Pick<LanguageModelV4CallOptions, "maxOutputTokens">,
): boolean {
  const used = usage?.outputTokens.total;
  return (
    end?.type === "complete" &&
    toolCalls.length === 0 &&
    used !== undefined &&
    maxOutputTokens !== undefined &&
    used >= maxOutputTokens
  );
}

const warned = new WeakSet<ModelConnection>();

/** Logs which of the agent's parameters the model does not support. Other warnings may quote the prompt, and are not logged. */
function warnOnce(warnings: readonly SharedV4Warning[], { connection, log }: StepContext): void {
  const features = warnings.flatMap((warning) =>
    warning.type === "unsupported" ? warning.feature : [],
  );
  if (features.length === 0 || warned.has(connection)) return;
  warned.add(connection);
  const { provider, modelId: model } = connection;
  log.warn({ provider, model, features }, "The model does not support what it is asked with");
}

/** Adds one part of the stream to the step; returns the text in it. */
function takePart(
  step: ModelStep,
  open: Map<string, AnswerPart>,
  part: LanguageModelV4StreamPart,
): string {
  switch (part.type) {
    case "text-start":
    case "text-delta":
    case "text-end": {
      const block = openBlock(step, open, `text ${part.id}`, { type: "text", length: 0 });
      keepWanted(block, part.providerMetadata);
      if (part.type !== "text-delta") return "";
      block.length += part.delta.length;
      step.text += part.delta;
      return part.delta;
    }
    case "reasoning-start":
    case "reasoning-delta":
    case "reasoning-end": {
      const block = openBlock(step, open, `reasoning ${part.id}`, {
        type: "reasoning",
        text: "",
        options: {},
      });
      keepWanted(block, part.providerMetadata);
      if (part.type === "reasoning-delta") block.text += part.delta;
      return "";
    }
    case "tool-call": {
      // The provider has run this tool itself. The agent offers no such tool.
      if (part.providerExecuted === true) return "";
      step.hasBegun = true;
      if (hasCall(step, part)) return "";
      step.toolCalls.push({
        id: part.toolCallId,
        name: part.toolName,
        input: part.input,
        providerMetadata: part.providerMetadata,
      });
      step.parts.push({ type: "tool-call", id: part.toolCallId });
      return "";
    }
    case "finish":
      step.end = endOfAnswer(part.finishReason);
      step.usage = part.usage;
      step.returned = part.providerMetadata?.[RETURNED_FIELDS];
      return "";
    case "tool-input-start":
    case "tool-input-delta":
    case "tool-input-end":
      step.hasBegun = true;
      return "";
    // These are of no use here, or come only when they were asked for.
    case "stream-start":
    case "response-metadata":
    case "tool-result":
    case "tool-approval-request":
    case "source":
    case "file":
    case "reasoning-file":
    case "custom":
    case "ping":
    case "raw":
    case "error":
      return "";
  }
}

/** Servers give several calls one id. A call that is the same in all else, too, is one whose event came twice. */
function hasCall(
  { toolCalls }: ModelStep,
  { toolCallId, toolName, input }: LanguageModelV4ToolCall,
): boolean {
  return (
    toolCallId !== "" &&
    toolCalls.some(
      (call) => call.id === toolCallId && call.name === toolName && call.input === input,
    )
  );
}

function openBlock<Block extends AnswerPart>(
  step: ModelStep,
  open: Map<string, AnswerPart>,
  id: string,
  fresh: Block,
): Block {
  const known = open.get(id);
  if (known !== undefined) return known as Block;
  open.set(id, fresh);
  step.hasBegun = true;
  step.parts.push(fresh);
  return fresh;
}

/** The metadata that providers want back with a part: proofs that a thought is theirs, and what kind of text it was. */
const WANTED_BACK = [
  "signature",
  "redactedData",
  "thoughtSignature",
  "reasoningEncryptedContent",
  "itemId",
  "phase",
];

function keepWanted(
  block: Extract<AnswerPart, { type: "text" | "reasoning" }>,
  metadata: SharedV4ProviderMetadata | undefined,
): void {
  for (const [namespace, values] of Object.entries(metadata ?? {})) {
    for (const key of WANTED_BACK) {
      const value = values[key];
      if (value === undefined || value === null) continue;
      block.options = {
        ...block.options,
        [namespace]: { ...block.options?.[namespace], [key]: value },
      };
    }
  }
}

const PROOFS = ["signature", "redactedData", "thoughtSignature", "reasoningEncryptedContent"];

/**
 * What a history message keeps as `providerMetadata`: nothing, unless a part has metadata that the provider wants back. A
 * thought without proof is left out, since the provider would refuse it.
 */
export function answerPartsOf(
  step: ModelStep,
  connection: ModelConnection,
): AnswerParts | undefined {
  const parts = step.parts.filter(
    (part) => part.type !== "reasoning" || hasAny(part.options, PROOFS),
  );
  const returned = step.toolCalls.length > 0 ? step.returned : undefined;
  const wanted =
    returned !== undefined ||
    parts.some(
      (part) =>
        part.type === "reasoning" ||
        (part.type === "tool-call" && part.serverId !== undefined) ||
        (part.type === "text" && hasAny(part.options, ["thoughtSignature", "phase"])),
    );
  if (!wanted) return undefined;
  const kept = { provider: connection.provider, model: connection.modelId, parts };
  return returned === undefined ? kept : { ...kept, returned };
}

function hasAny(options: SharedV4ProviderMetadata | undefined, keys: readonly string[]): boolean {
  return Object.values(options ?? {}).some((values) =>
    keys.some((key) => values[key] !== undefined),
  );
}

/** An error of a stream may be what its server wrote, without a status. */
function withStatus(error: unknown): unknown {
  const isKnown = error instanceof Error || Object.hasOwn(Object(error) as object, "statusCode");
  return isKnown ? error : (streamErrorOf(error) ?? error);
}

/** Throws when the stream ended without an error and the answer is incomplete all the same. */
function checkEnd(step: ModelStep): void {
  if (step.end?.type === "failed") {
    const { word } = step.end;
    const how = word === undefined ? "without success" : `with "${word}"`;
    throw new ProviderFailedError("unsuccessful_finish", `the answer ended ${how}; try again`, {
      finishReason: word,
    });
  }
  if (step.end !== undefined && step.end.type !== "interrupted") return;
  throw step.hasBegun
    ? new ProviderFailedError("interrupted", "the answer broke off before its end")
    : new ProviderFailedError("empty", "the answer ended before its first word", {
        retryable: true,
      });
}
