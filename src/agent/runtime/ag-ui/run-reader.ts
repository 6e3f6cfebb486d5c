/**
 * Reads the events of one run, lenient about ids and strict about the end. A call that gets a result is the framework's own;
 * one without is left for the agent to run.
 */
import { ProviderFailedError } from "../providers/provider-error.ts";
import type { ModelStep, StepToolCall } from "../providers/model-step.ts";
import type { StepRequest } from "../steps/step-source.ts";
import { MAX_ARGUMENT_CHARACTERS, MAX_RUNTIME_CALLS } from "../../contracts/limits.ts";
import { WholeCharacters } from "../providers/whole-characters.ts";
import { lastAnswerIn, textOfContent, usageIn, type AgUiEvent } from "./ag-ui-event.ts";
import { RunMessages, type MessagePiece } from "./run-messages.ts";

export interface RunReaderOptions {
  readonly step: ModelStep;
  readonly request: Pick<StepRequest, "onText" | "ownCalls">;
  /** Whether the agent runs this tool. Calls of others are the framework's, and are shown before they have a result. */
  readonly isOffered: (tool: string) => boolean;
}

interface OwnCall {
  readonly call: StepToolCall;
  /** The text of its result. */
  result?: string | undefined;
}

export class RunReader {
  readonly #options: RunReaderOptions;
  /** The calls whose arguments are still coming, by the framework's id. */
  readonly #open = new Map<string, StepToolCall>();
  /** The framework's own calls in their order. The first one has been begun, if `#hasBegun` says so. */
  readonly #own: OwnCall[] = [];
  #hasBegun = false;
  #calls = 0;
  /** The calls whose arguments come in chunks. Chunks without an id belong to the last one. */
  #chunked: string[] = [];
  readonly #messages = new RunMessages();
  readonly #characters = new WholeCharacters();
  /** Whether there was text since the last call. */
  #hasSpoken = false;
  #snapshot: readonly unknown[] | undefined;

  constructor(options: RunReaderOptions) {
    this.#options = options;
  }

  /** Answers whether the run has come to its end. Rejects with a ProviderFailedError when that was no good one. */
  async take(event: AgUiEvent): Promise<boolean> {
    if (event.type !== "TOOL_CALL_CHUNK" && (await this.#endChunked())) return true;
    switch (event.type) {
      case "TEXT_MESSAGE_START":
        this.#messages.begin(event);
        return false;
      case "TEXT_MESSAGE_END":
        this.#messages.end();
        return false;
      case "TEXT_MESSAGE_CHUNK":
      case "TEXT_MESSAGE_CONTENT":
        await this.#say(event);
        return false;
      case "TOOL_CALL_START":
        this.#begin(event.toolCallId, event.toolCallName);
        return false;
      case "TOOL_CALL_ARGS":
        this.#addArguments(event.toolCallId, event.delta);
        return false;
      case "TOOL_CALL_END":
        return await this.#close(event.toolCallId);
      case "TOOL_CALL_CHUNK":
        this.#takeChunk(event);
        return false;
      case "TOOL_CALL_RESULT":
        return await this.#takeResult(event.toolCallId, textOfContent(event.content));
      case "MESSAGES_SNAPSHOT":
        this.#snapshot = event.messages;
        return false;
      case "RUN_ERROR":
        this.#count(event.usage);
        throw new ProviderFailedError("server_error", "the run failed; try again");
      case "RUN_FINISHED":
        this.#count(event.usage);
        await this.#finish(event);
        return true;
    }
  }

  async #say(piece: MessagePiece): Promise<void> {
    const { step, request } = this.#options;
    const message = this.#messages.of(piece);
    if (message.isForeign) return;
    const delta = this.#characters.take(piece.delta ?? "");
    if (delta === "") return;
    const isNew = this.#messages.said(message);
    this.#hasSpoken = true;
    step.hasBegun = true;
    const runsOn = step.text !== "" && !/\s$/.test(step.text) && !/^\s/.test(delta);
    const text = isNew && runsOn ? `\n\n${delta}` : delta;
    step.text += text;
    await request.onText(text);
  }

  /** Answers the id that the call has here. */
  #begin(id: string | undefined, name: string): string {
    if ((this.#calls += 1) > MAX_RUNTIME_CALLS) {
      throw new ProviderFailedError("too_large", "the run has more calls than an agent takes");
    }
    this.#options.step.hasBegun = true;
    this.#hasSpoken = false;
    const callId = id ?? `call-${this.#calls}`;
    this.#open.set(callId, { id: callId, name, input: "" });
    return callId;
  }

  /** A delta without a known id belongs to the call that was begun last. */
  #addArguments(id: string | undefined, delta: string): void {
    if (id !== undefined && this.#isClosed(id)) return;
    const call = this.#open.get(id ?? "") ?? [...this.#open.values()].at(-1);
    // One character more than the limit says that the arguments are too long.
    if (call !== undefined) call.input = (call.input + delta).slice(0, MAX_ARGUMENT_CHARACTERS + 1);
  }

  /** The chunks of several calls may come in turn, so that none of them ends with the beginning of the next one. */
  #takeChunk(event: Extract<AgUiEvent, { type: "TOOL_CALL_CHUNK" }>): void {
    const { toolCallId: id, toolCallName: name, delta } = event;
    if (name !== undefined && (id === undefined || !this.#open.has(id))) {
      this.#chunked.push(this.#begin(id, name));
    }
    this.#addArguments(id ?? this.#chunked.at(-1), delta ?? "");
  }

  async #endChunked(): Promise<boolean> {
    const ids = this.#chunked.splice(0);
    for (const id of ids) if (this.#open.has(id) && (await this.#close(id))) return true;
    return false;
  }

  /** The arguments of a call have come. Answers true when the step is to end here. */
  async #close(id: string | undefined): Promise<boolean> {
    const { step, isOffered } = this.#options;
    const call = this.#open.get(id ?? "") ?? [...this.#open.values()].at(-1);
    if (call === undefined) return false;
    this.#open.delete(call.id);
    if (this.#hasCall(call)) return false;
    if (isOffered(call.name)) {
      step.toolCalls.push(call);
      step.parts.push({ type: "tool-call", id: call.id });
      return false;
    }
    this.#own.push({ call });
    return await this.#advance();
  }

  /** Some adapters send the events of a call twice. */
  #hasCall({ id, name, input }: StepToolCall): boolean {
    return this.#closed().some(
      (call) => call.id === id && call.name === name && call.input === input,
    );
  }

  #isClosed(id: string): boolean {
    return !this.#open.has(id) && this.#closed().some((call) => call.id === id);
  }

  #closed(): StepToolCall[] {
    return [...this.#options.step.toolCalls, ...this.#own.map(({ call }) => call)];
  }

  async #takeResult(id: string, result: string): Promise<boolean> {
    const { step } = this.#options;
    // Its arguments are whole, also where their end was not said.
    if (this.#open.has(id) && (await this.#close(id))) return true;
    const own = this.#own.find(({ call }) => call.id === id);
    if (own !== undefined) {
      own.result ??= result;
    } else {
      const at = step.toolCalls.findIndex((call) => call.id === id);
      const [call] = at === -1 ? [] : step.toolCalls.splice(at, 1);
      // Adapters repeat the results that they were given.
      if (call === undefined) return false;
      step.parts.splice(at, 1);
      this.#own.push({ call, result });
    }
    return await this.#advance();
  }

  /**
   * Tells of the framework's calls one after the other. While one has no result the turn has a call in doubt, whatever becomes
   * of those behind it.
   */
  async #advance(): Promise<boolean> {
    const { request, step } = this.#options;
    for (;;) {
      const [first] = this.#own;
      if (first === undefined) return false;
      if (!this.#hasBegun) {
        if (!(await request.ownCalls.begun(first.call))) {
          step.toolCalls = [];
          step.parts = [];
          step.end = { type: "complete" };
          return true;
        }
        this.#hasBegun = true;
      }
      if (first.result === undefined) return false;
      await request.ownCalls.ended({ result: first.result });
      this.#own.shift();
      this.#hasBegun = false;
    }
  }

  async #finish({ outcome }: Extract<AgUiEvent, { type: "RUN_FINISHED" }>): Promise<void> {
    const { step, request } = this.#options;
    for (const id of this.#open.keys()) if (await this.#close(id)) return;
    this.#checkOutcome(outcome);
    while (this.#own.length > 0) {
      // The framework left it to the agent, which has no such tool.
      await request.ownCalls.unanswered();
      this.#own.shift();
      this.#hasBegun = false;
      if (await this.#advance()) return;
    }
    // Frameworks tell of an answer that was not streamed in a snapshot alone.
    const isSilent = !this.#hasSpoken && step.toolCalls.length === 0;
    if (isSilent && this.#snapshot !== undefined) {
      this.#messages.begin({});
      await this.#say({ delta: lastAnswerIn(this.#snapshot) });
    }
    step.end = { type: "complete" };
  }

  #checkOutcome(outcome: Extract<AgUiEvent, { type: "RUN_FINISHED" }>["outcome"]): void {
    const type = outcome?.type ?? "success";
    if (type === "success") return;
    if (type === "interrupt") {
      const waiting = new Set(this.#options.step.toolCalls.map(({ id }) => id));
      const interrupts = outcome?.interrupts ?? [];
      // An adapter may call it an interrupt that the agent has calls to run.
      const isForCalls = interrupts.every(
        ({ toolCallId }) => toolCallId !== undefined && waiting.has(toolCallId),
      );
      if (interrupts.length > 0 && isForCalls) return;
    }
    throw new ProviderFailedError("unsuccessful_finish", "the run did not come to its end", {
      finishReason: type === "interrupt" || type === "cancelled" ? type : "unknown",
    });
  }

  #count(usage: unknown): void {
    const used = usageIn(usage);
    if (used === undefined) return;
    this.#options.step.usage = {
      inputTokens: {
        total: used.input,
        noCache: undefined,
        cacheRead: undefined,
        cacheWrite: undefined,
      },
      outputTokens: { total: used.output, text: undefined, reasoning: undefined },
    };
  }
}
