import type { ErrorBody, TurnFrame } from "../../protocol/frames.ts";
import type { Clock } from "../../time/clock.ts";
import type { ApprovalRequest, TurnEvent } from "../contracts/handler.ts";
import type { TurnLease } from "../sessions/session-store.ts";
import { timestamp } from "./timestamp.ts";
import type { StoredEnding } from "./turn-ending.ts";

export interface FrameBuilderOptions {
  readonly lease: TurnLease;
  /** The client's own id of the message. */
  readonly messageId: string | undefined;
  /** The number of the session's last frame so far. The first frame that is built here takes the next one. */
  readonly lastSeq: number;
  readonly clock: Clock;
}

/** Builds the frames of one turn. Each frame that is built takes the next number of the session. */
export class FrameBuilder {
  readonly #lease: TurnLease;
  readonly #messageId: string | undefined;
  readonly #clock: Clock;
  #seq: number;

  constructor({ lease, messageId, lastSeq, clock }: FrameBuilderOptions) {
    this.#lease = lease;
    this.#messageId = messageId;
    this.#seq = lastSeq;
    this.#clock = clock;
  }

  ofChunk(content: string): TurnFrame {
    return { ...this.#begin("chunk"), content };
  }

  ofToolEvent(event: Exclude<TurnEvent, { type: "chunk" }>): TurnFrame {
    switch (event.type) {
      case "tool-call": {
        const { id, name, parent } = event;
        const tool_call = { id, name, arguments: event.arguments };
        return {
          ...this.#begin("tool_call"),
          tool_call: parent === undefined ? tool_call : { ...tool_call, parent },
        };
      }
      case "tool-result": {
        const { id, result, error, state } = event;
        const tool_result = error === undefined ? { id, result: result ?? null } : { id, error };
        const frame = { ...this.#begin("tool_result"), tool_result };
        return state === undefined ? frame : { ...frame, state };
      }
    }
  }

  /** Asks the user about a call. `expiresAt`: when the session ends unless something happens in it, in milliseconds since 1970. */
  ofApproval(
    { id, name, arguments: toolArguments }: ApprovalRequest,
    expiresAt: number,
  ): TurnFrame {
    const expires_at = timestamp(expiresAt);
    return {
      ...this.#begin("approval_request"),
      approval: { id, name, arguments: toolArguments, expires_at },
    };
  }

  /** The last frame of the turn. `answer` is the text that was emitted in chunks, `state` the one of the workflow. */
  ofEnding(ending: StoredEnding, answer: string, state?: string): TurnFrame {
    if (ending.type === "error") return { ...this.#begin("error", true), error: ending.error };
    const { usage, finishReason: finish_reason, warnings = [] } = ending;
    const begin = { ...this.#begin("done", true), content: ending.content ?? answer };
    const frame =
      usage === undefined ? { ...begin, finish_reason } : { ...begin, usage, finish_reason };
    const told = state === undefined ? frame : { ...frame, state };
    return warnings.length === 0 ? told : { ...told, warnings: [...warnings] };
  }

  /** An error frame as text. It takes no number, since the store does not hold it. */
  ofFailure(error: ErrorBody): string {
    return JSON.stringify({
      type: "error",
      session_id: this.#lease.sessionId,
      timestamp: timestamp(this.#clock.now()),
      error,
    });
  }

  /** What every frame begins with. An object that is copied first, and added to then, is made in a fraction of the time. */
  #begin<Type extends TurnFrame["type"]>(type: Type, isLast = false) {
    const message_id = this.#messageId;
    const tellsMessage =
      message_id !== undefined && (isLast || this.#seq === this.#lease.seqBefore);
    const begin = {
      type,
      session_id: this.#lease.sessionId,
      turn_id: this.#lease.turnId,
      seq: ++this.#seq,
      timestamp: timestamp(this.#clock.now()),
    };
    return tellsMessage ? { ...begin, message_id } : begin;
  }
}
