import type { AgentConfig } from "../../../agent-config/agent-config.ts";
import type { Turn, TurnEvent } from "../../contracts/handler.ts";
import type { HistoryMessage } from "../../sessions/history-message.ts";

export interface MemberTask {
  readonly task: string;
  readonly signal: AbortSignal;
  /** The id of the call with which the member was asked. */
  readonly callId: string;
}

/**
 * The turn of a member within the turn of the session. Its calls are events of that turn, with ids that begin with the one of the call
 * that asked; its text and its messages stay here.
 */
export class MemberTurn implements Turn {
  readonly id: string;
  readonly sessionId: string;
  readonly content: string;
  readonly callerSubject: string | undefined;
  readonly metadata: Turn["metadata"];
  readonly promptVersion: string | undefined;
  readonly config: AgentConfig;
  readonly budget: Turn["budget"];
  readonly signal: AbortSignal;
  readonly earlier = undefined;
  readonly #outer: Turn;
  readonly #callId: string;
  #text = "";

  constructor(outer: Turn, { task, signal, callId }: MemberTask) {
    this.#outer = outer;
    this.#callId = callId;
    this.id = outer.id;
    this.sessionId = outer.sessionId;
    this.content = task;
    this.callerSubject = outer.callerSubject;
    this.metadata = outer.metadata;
    this.promptVersion = outer.promptVersion;
    this.config = outer.config;
    this.budget = outer.budget;
    this.signal = signal;
  }

  /** What the member has said. */
  get text(): string {
    return this.#text;
  }

  history(): Promise<HistoryMessage[]> {
    return Promise.resolve([]);
  }

  emit(event: TurnEvent): Promise<void> {
    switch (event.type) {
      case "chunk":
        this.#text += event.content;
        // An empty chunk is a sign of life.
        return this.#outer.emit({ type: "chunk", content: "" });
      case "tool-call": {
        const id = `${this.#callId}.${event.id}`;
        const parent =
          event.parent === undefined ? this.#callId : `${this.#callId}.${event.parent}`;
        return this.#outer.emit({ ...event, id, parent });
      }
      case "tool-result":
        return this.#outer.emit({ ...event, id: `${this.#callId}.${event.id}` });
    }
  }

  record(): void {
    // The session remembers the call that asked, and its result.
  }

  enterState(): void {
    // A member has no workflow.
  }

  stored(): Promise<void> {
    return this.#outer.stored();
  }
}
