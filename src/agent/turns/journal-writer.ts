import type { StepNote, TurnEvent } from "../contracts/handler.ts";
import type { HistoryMessage } from "../sessions/history-message.ts";
import { NO_JOURNAL, type JournalEntry, type JournalPart } from "../sessions/turn-journal.ts";

/** Collects the journal entries of a turn, in the order in which the handler emits and records, until they are written. */
export class JournalWriter {
  readonly #turnId: string;
  /** The entries that were written, or are being written. */
  #count: number;
  #entries: JournalEntry[] = [];
  #said = "";
  // Most turns call no tool.
  /** The calls of the last step whose outcome was noted. */
  #done: Set<string> | undefined;
  /** The tools of all calls, by call id. */
  #names: Map<string, string> | undefined;

  constructor(turnId: string, count: number) {
    this.#turnId = turnId;
    this.#count = count;
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
        return;
      case "tool-call":
        this.#name(event.id, event.name);
        this.#add({ type: "call-started", id: event.id, name: event.name });
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
      if (this.#done?.has(message.toolCallId) !== true) this.#add({ type: "call-done", message });
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
    if (this.#said !== "") this.#entries.push({ type: "said", text: this.#said });
    this.#said = "";
  }
}
