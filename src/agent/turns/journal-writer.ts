import type { Clock } from "../../time/clock.ts";
import type { StepNote, TurnEvent } from "../contracts/handler.ts";
import type { HistoryMessage } from "../sessions/history-message.ts";
import { NO_JOURNAL, type JournalEntry, type JournalPart } from "../sessions/turn-journal.ts";

/** Collects the journal entries of a turn, in the order in which the handler emits and records, until they are written. */
export interface JournalWriterOptions {
  readonly turnId: string;
  /** The entries that the journal has already. */
  readonly count: number;
  /** Whether a text of the turn is among them. */
  readonly hasSpoken: boolean;
  readonly clock: Clock;
}

export class JournalWriter {
  readonly #clock: Clock;
  readonly #turnId: string;
  /** The entries that were written, or are being written. */
  #count: number;
  #entries: JournalEntry[] = [];
  #said = "";
  #hasSpoken: boolean;
  /** When the first text of the turn came, until that is noted. */
  #spokeAt: number | undefined;
  // Most turns call no tool.
  /** The calls of the last step whose outcome was noted. */
  #done: Set<string> | undefined;
  /** The tools of all calls, by call id. */
  #names: Map<string, string> | undefined;

  constructor({ turnId, count, hasSpoken, clock }: JournalWriterOptions) {
    this.#turnId = turnId;
    this.#count = count;
    this.#hasSpoken = hasSpoken;
    this.#clock = clock;
  }

  get isPending(): boolean {
    return this.#said !== "" || this.#entries.length > 0;
  }

  /** Takes note of a message that the journal has already. */
  know(message: HistoryMessage): void {
    if (message.role === "tool") {
      (this.#done ??= new Set()).add(message.toolCallId);
    } else if (message.role === "assistant") {
      this.#done?.clear();
      for (const { id, name } of message.toolCalls ?? []) this.#name(id, name);
    }
  }

  emit(event: TurnEvent): void {
    switch (event.type) {
      case "chunk":
        this.#said += event.content;
        if (!this.#hasSpoken) {
          this.#hasSpoken = true;
          this.#spokeAt = this.#clock.now();
        }
        return;
      case "tool-call":
        this.#name(event.id, event.name);
        this.#add({
          type: "call-started",
          id: event.id,
          name: event.name,
          at: this.#clock.now(),
          parent: event.parent,
        });
        return;
      case "tool-result": {
        const { id, result, error, state } = event;
        const moved = state === undefined ? {} : { state };
        const outcome = error === undefined ? { result: result ?? null, ...moved } : { error };
        this.record({
          role: "tool",
          turnId: this.#turnId,
          toolCallId: id,
          toolName: this.#names?.get(id) ?? "",
          ...outcome,
        });
      }
    }
  }

  record(message: HistoryMessage, { usage, inputs, finishReason }: StepNote = {}): void {
    if (message.role === "user") return;
    if (message.role === "tool") {
      // The outcome was noted when it was emitted, unless the call was refused and not emitted.
      if (this.#done?.has(message.toolCallId) !== true) {
        this.#add({ type: "call-done", message, at: this.#clock.now() });
      }
    } else {
      this.#add({
        type: "step",
        message,
        ...(inputs === undefined ? {} : { inputs }),
        ...(usage === undefined ? {} : { usage }),
        ...(finishReason === undefined ? {} : { finishReason }),
      });
    }
    this.know(message);
  }

  /** Takes the entries that are to be written next. */
  take(): JournalPart {
    if (!this.isPending) return NO_JOURNAL;
    this.#flushSaid();
    const part = { first: this.#count, entries: this.#entries };
    this.#count += this.#entries.length;
    this.#entries = [];
    return part;
  }

  #name(callId: string, tool: string): void {
    (this.#names ??= new Map()).set(callId, tool);
  }

  #add(entry: JournalEntry): void {
    this.#flushSaid();
    this.#entries.push(entry);
  }

  #flushSaid(): void {
    if (this.#said === "") return;
    const entry = { type: "said", text: this.#said } as const;
    const at = this.#spokeAt;
    this.#entries.push(at === undefined ? entry : { ...entry, at });
    this.#said = "";
    this.#spokeAt = undefined;
  }
}
