import type { ErrorBody, TurnFrame } from "../../protocol/frames.ts";
import type { Clock } from "../../time/clock.ts";
import type { TurnEvent } from "../contracts/handler.ts";
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
    return { type: "chunk", ...this.#stamp(), content };
  }

  ofToolEvent(event: Exclude<TurnEvent, { type: "chunk" }>): TurnFrame {
    switch (event.type) {
      case "tool-call": {
        const { id, name } = event;
        return {
          type: "tool_call",
          ...this.#stamp(),
          tool_call: { id, name, arguments: event.arguments },
        };
      }
      case "tool-result": {
        const { id, result, error } = event;
        const tool_result = error === undefined ? { id, result: result ?? null } : { id, error };
        return { type: "tool_result", ...this.#stamp(), tool_result };
      }
    }
  }

  /** The last frame of the turn. `answer` is the text that was emitted in chunks. */
  ofEnding(ending: StoredEnding, answer: string): TurnFrame {
    const stamp = this.#stamp(true);
    if (ending.type === "error") return { type: "error", ...stamp, error: ending.error };
    return {
      type: "done",
      ...stamp,
      content: ending.content ?? answer,
      ...(ending.usage === undefined ? {} : { usage: ending.usage }),
      finish_reason: ending.finishReason,
    };
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

  #stamp(isLast = false) {
    const tellsMessage =
      this.#messageId !== undefined && (isLast || this.#seq === this.#lease.seqBefore);
    return {
      session_id: this.#lease.sessionId,
      turn_id: this.#lease.turnId,
      seq: ++this.#seq,
      timestamp: timestamp(this.#clock.now()),
      ...(tellsMessage ? { message_id: this.#messageId } : undefined),
    };
  }
}
