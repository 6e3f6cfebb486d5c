/**
 * Steps that a runtime answers over omnia.runtime.v1. A stream is one turn: it is open until the runtime ends its answer, and
 * while the agent runs a tool that the runtime asks for. The runtime has a memory of its own, so it is only sent the message of the
 * user.
 */
import type { Clock } from "../../../time/clock.ts";
import type { Turn } from "../../contracts/handler.ts";
import { TurnError } from "../../contracts/turn-error.ts";
import { MAX_REFUSED_RUNTIME_CALLS } from "../../contracts/limits.ts";
import type { HistoryMessage } from "../../sessions/history-message.ts";
import type { ModelStep, StepToolCall } from "../providers/model-step.ts";
import { ProviderFailedError } from "../providers/provider-error.ts";
import type { StepRequest, StepSource } from "../steps/step-source.ts";
import { APPROVAL_NEEDED } from "../tools/approval-needed.ts";
import { findTool } from "../tools/find-tool.ts";
import { needsApproval } from "../tools/needs-approval.ts";
import { parseToolArguments } from "../tools/tool-arguments.ts";
import { openStepTools, type StepToolsOptions } from "../steps/step-tools.ts";
import { Conversation } from "./conversation.ts";
import { runtimeHeaders, runtimeMetadata } from "./runtime-headers.ts";
import { ShownCall } from "./shown-call.ts";
import { RUNTIME_NAME, runtimeTurnError } from "./runtime-failure.ts";
import type { CallOptions, ClientToolResult, RuntimeV1Client } from "./runtime-v1-client.ts";
import {
  CLIENT_EXECUTION,
  textOfDone,
  type RuntimeDone,
  type RuntimeToolCall,
  type RuntimeUsage,
} from "./server-message.ts";

export interface RuntimeV1StepsOptions extends StepToolsOptions {
  /** Settles once the runtime can be asked. Rejects with a RuntimeUnavailableError. */
  readonly connect: (signal: AbortSignal) => Promise<RuntimeV1Client>;
  /** The model that the agent was given for the runtime, if it was given one. */
  readonly modelId: string;
  readonly turn: Turn;
  readonly clock: Pick<Clock, "setTimer">;
}

/** Throws a TurnError when another replica began the turn: what its runtime was told, and did, is not known here. */
export function runtimeV1Steps(options: RuntimeV1StepsOptions): StepSource {
  const { earlier } = options.turn;
  if (earlier !== undefined && earlier.steps.at(-1)?.finishReason === undefined) {
    throw new TurnError("PROVIDER_ERROR", NOT_TAKEN_OVER, { details: { reason: "interrupted" } });
  }
  const dialogue = new TurnDialogue(options);
  return {
    provider: RUNTIME_NAME,
    modelId: options.modelId,
    countsPrompts: false,
    stream: (step, request) => dialogue.stream(step, request),
    partsOf: () => undefined,
  };
}

const LIMIT_REACHED = "not called: the turn may have no more tool calls";
const NOT_TAKEN_OVER = `${RUNTIME_NAME}: the replica that ran the turn ended, and the runtime keeps conversations in a memory of its own; so the turn cannot go on, and whether it had an effect is not known`;

/** A call that the runtime waits for. The tool loop gives it an id of its own. */
interface AwaitedCall {
  readonly runtimeId: string;
  readonly call: StepToolCall;
}

class TurnDialogue {
  readonly #options: RuntimeV1StepsOptions;
  #conversation: Conversation | undefined;
  #awaited: AwaitedCall | undefined;
  #hasSpoken = false;

  constructor(options: RuntimeV1StepsOptions) {
    this.#options = options;
  }

  async stream(step: ModelStep, request: StepRequest): Promise<void> {
    const { signal } = request;
    signal.throwIfAborted();
    using _ = openStepTools(this.#options, request);
    try {
      await this.#read(await this.#goOn(request), step, request);
    } catch (error) {
      this.#conversation?.close();
      signal.throwIfAborted();
      throw runtimeTurnError(error, step.hasBegun);
    }
  }

  /** Opens the stream, or sends the result that the runtime waits for. */
  async #goOn({ messages, instruction, signal }: StepRequest): Promise<Conversation> {
    const { connect, turn, clock } = this.#options;
    const { sessionId } = turn;
    const awaited = this.#awaited;
    this.#awaited = undefined;
    if (this.#conversation === undefined || awaited === undefined) {
      // A runtime that is asked again remembers the message, and is told what was wrong with its answer.
      const isAgain = this.#conversation !== undefined && instruction !== undefined;
      const content = isAgain ? instruction : turn.content;
      const first = { sessionId, content, metadata: runtimeMetadata(turn.metadata) };
      const headers = runtimeHeaders(turn);
      const client = await connect(signal);
      await this.#ensureRemembered(client, { headers, signal });
      this.#conversation = new Conversation(first, { client, headers, signal, clock });
      return this.#conversation;
    }
    const clientToolResult = resultOf(awaited, messages);
    this.#conversation.send({ sessionId, clientToolResult });
    return this.#conversation;
  }

  /** A runtime that lost what was said before must not go on as if nothing had been. */
  async #ensureRemembered(client: RuntimeV1Client, options: CallOptions): Promise<void> {
    const { turn } = this.#options;
    const history = await turn.history();
    if (history.length === 0) return;
    // A runtime that cannot tell is given the benefit of the doubt.
    const isForgotten = await client.hasForgotten(turn.sessionId, options).catch(() => false);
    if (!isForgotten) return;
    throw new ProviderFailedError(
      "invalid_request",
      "the runtime has no memory of this session any more; begin a new one",
    );
  }

  async #read(conversation: Conversation, step: ModelStep, request: StepRequest): Promise<void> {
    const shown = new ShownCall(request);
    let refused = 0;
    for (;;) {
      const message = await conversation.next();
      if (message === undefined) throw interrupted();
      const { chunk, toolCall, toolResult, done, error } = message;
      // The code is the runtime's own, and its words may hold anything.
      if (error !== undefined) throw failed();
      if (chunk !== undefined) {
        if (chunk.content === "" || chunk.role === "user") continue;
        await shown.endWithout();
        await this.#say(step, request, chunk.content);
      } else if (toolCall?.execution === CLIENT_EXECUTION) {
        await shown.endWithout();
        step.hasBegun = true;
        const rejectionReason =
          request.toolChoice === "none" ? LIMIT_REACHED : await this.#approvalNeeded(toolCall);
        if (rejectionReason === undefined) return this.#await(toolCall, step);
        refused += 1;
        if (refused > MAX_REFUSED_RUNTIME_CALLS) throw failed();
        conversation.send({
          sessionId: this.#options.turn.sessionId,
          clientToolResult: {
            callId: toolCall.id,
            rejectionReason,
          },
        });
      } else if (toolCall !== undefined) {
        step.hasBegun = true;
        await shown.endWithout();
        if (!(await shown.begin(toolCall))) return end(conversation, step);
      } else if (toolResult !== undefined) {
        await shown.end(toolResult);
      } else if (done !== undefined) {
        await shown.endWithout();
        await this.#finish(step, request, done);
        return end(conversation, step);
      }
    }
  }

  /** The stream would be closed while the call waits, so a call that somebody has to approve is not made. */
  async #approvalNeeded({ name, argumentsJson }: RuntimeToolCall): Promise<string | undefined> {
    const tool = findTool(this.#options.tools, name);
    const parsed = parseToolArguments(argumentsJson);
    const needed = parsed.ok && (await needsApproval(tool?.approval, parsed.arguments));
    return needed ? APPROVAL_NEEDED : undefined;
  }

  /** Ends the step with a call for the tool loop. The stream stays open. */
  #await({ id, name, argumentsJson }: RuntimeToolCall, step: ModelStep): void {
    const call: StepToolCall = { id, name, input: argumentsJson };
    this.#awaited = { runtimeId: id, call };
    step.toolCalls.push(call);
    step.end = { type: "complete" };
  }

  async #finish(step: ModelStep, request: StepRequest, done: RuntimeDone): Promise<void> {
    const text = this.#hasSpoken ? "" : textOfDone(done);
    if (text !== "") await this.#say(step, request, text);
    step.usage = done.usage && usageOf(done.usage);
  }

  async #say(step: ModelStep, { onText }: StepRequest, text: string): Promise<void> {
    this.#hasSpoken = true;
    step.hasBegun = true;
    step.text += text;
    await onText(text);
  }
}

function end(conversation: Conversation, step: ModelStep): void {
  conversation.close();
  step.end = { type: "complete" };
}

function interrupted(): ProviderFailedError {
  return new ProviderFailedError("interrupted", "the answer broke off before its end");
}

function failed(): ProviderFailedError {
  return new ProviderFailedError("server_error", "the runtime failed");
}

function usageOf({ inputTokens, outputTokens }: RuntimeUsage): ModelStep["usage"] {
  const input = { noCache: undefined, cacheRead: undefined, cacheWrite: undefined };
  const output = { text: undefined, reasoning: undefined };
  return {
    inputTokens: { total: inputTokens, ...input },
    outputTokens: { total: outputTokens, ...output },
  };
}

/** What became of the call, for the runtime that waits for it. */
function resultOf(
  { runtimeId: callId, call }: AwaitedCall,
  messages: readonly HistoryMessage[],
): ClientToolResult {
  const message = messages.findLast(
    (message) => message.role === "tool" && message.toolCallId === call.id,
  );
  if (message?.role !== "tool") return { callId, rejectionReason: "there is no result" };
  return message.error === undefined
    ? { callId, resultJson: JSON.stringify(message.result ?? null) }
    : { callId, rejectionReason: message.error };
}
