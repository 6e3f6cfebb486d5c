import type { EarlierRun } from "../contracts/handler.ts";
import { MAX_ANSWER_CHARACTERS } from "../contracts/limits.ts";
import type { HistoryMessage } from "../sessions/history-message.ts";
import { messagesOfEarlier } from "./read-journal.ts";
import type { StoredEnding } from "./turn-ending.ts";
import { turnMessages } from "./turn-messages.ts";

/** The answer of a turn so far, and the messages of the turn for the history. */
export class Transcript {
  readonly #turnId: string;
  readonly #historyTurnId: string;
  readonly #recorded: HistoryMessage[] = [];
  #answer = "";
  /** The position in the answer from which on no recorded message holds the text. */
  #unrecordedFrom = 0;

  /**
   * Begins with what was done of the turn before, if anything was. `firstTurnId`: the turn that the user's message began, where
   * this one goes on for it. In the history both are one turn, so that calls and results stay together.
   */
  constructor(turnId: string, earlier: EarlierRun | undefined, firstTurnId = turnId) {
    this.#turnId = turnId;
    this.#historyTurnId = firstTurnId;
    if (earlier === undefined) return;
    this.#answer = earlier.said;
    this.#unrecordedFrom = earlier.said.length - earlier.unfinished.length;
    this.#recorded.push(...messagesOfEarlier(earlier));
  }

  /** The whole answer, as it was emitted in chunks. */
  get answer(): string {
    return this.#answer;
  }

  /** A turn whose answer is too long is to be ended. */
  get isTooLong(): boolean {
    return this.#answer.length > MAX_ANSWER_CHARACTERS;
  }

  get recorded(): readonly HistoryMessage[] {
    return this.#recorded;
  }

  say(text: string): void {
    this.#answer += text;
  }

  /** Answers false, and does nothing, when the message is there already: another replica recorded the outcome of the call. */
  record(message: HistoryMessage): boolean {
    if (message.role === "tool" && this.#hasOutcome(message.toolCallId)) return false;
    this.#recorded.push(message);
    if (message.role === "assistant") this.#unrecordedFrom = this.#answer.length;
    return true;
  }

  /** The messages for the history. `wasCut`: the handler was stopped before it came to its end. */
  messages(
    ending: StoredEnding,
    { isCancelled, wasCut }: { isCancelled: boolean; wasCut: boolean },
  ): HistoryMessage[] {
    const isAnswerRecorded = this.#recorded.at(-1)?.role === "assistant";
    const wholeAnswer = ending.type === "done" && !isAnswerRecorded ? (ending.content ?? "") : "";
    const messages = turnMessages({
      turnId: this.#historyTurnId,
      isCancelled,
      isWaiting: ending.type === "done" && ending.finishReason === "awaiting_approval",
      recorded: this.#recorded,
      unrecordedText: this.#unrecordedText() || wholeAnswer,
      partial: ending.type === "error" || wasCut,
    });
    const turnId = this.#historyTurnId;
    return turnId === this.#turnId ? messages : messages.map((each) => ({ ...each, turnId }));
  }

  #unrecordedText(): string {
    if (this.#unrecordedFrom === 0) return this.#answer;
    // A slice would keep the whole answer in memory for as long as the message is kept. This makes a text of its own.
    return JSON.parse(JSON.stringify(this.#answer.slice(this.#unrecordedFrom))) as string;
  }

  #hasOutcome(callId: string): boolean {
    for (const message of this.#recorded.toReversed()) {
      if (message.role === "assistant") return false;
      if (message.role === "tool" && message.toolCallId === callId) return true;
    }
    return false;
  }
}
