import type { Log } from "../../observability/log.ts";
import type {
  ApprovalRequestFrame,
  ConnectedFrame,
  ConnectionErrorFrame,
  ErrorBody,
} from "../../protocol/frames.ts";
import { encodeTextFrame } from "../../protocol/text-frame.ts";
import type { Clock } from "../../time/clock.ts";
import { TurnError } from "../contracts/turn-error.ts";
import { StoreUnavailableError } from "../sessions/session-store.ts";
import { timestamp } from "../turns/timestamp.ts";
import { errorBody } from "../turns/turn-ending.ts";

/** Where the frames of a connection leave. */
export interface FrameOutlet {
  /** Sends one frame of a WebSocket. */
  send(bytes: Buffer): void;
  /** Sends what `send` is called with meanwhile in one write. */
  sendTogether(send: () => void): void;
  /** Undefined while there is room; otherwise settles when there is, or when the connection has closed. */
  whenWritable(): Promise<void> | undefined;
}

/** Sends the frames that come from no turn: what a connection is told of its sessions, and errors. */
export class ConnectionFrames {
  readonly #outlet: FrameOutlet;
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(outlet: FrameOutlet, { clock, log }: { clock: Clock; log: Log }) {
    this.#outlet = outlet;
    this.#clock = clock;
    this.#log = log;
  }

  sendConnected(sessionId: string, { resumed, seq }: { resumed: boolean; seq: number }): void {
    this.#send({ type: "connected", ...this.#stamp(sessionId), resumed, seq });
  }

  /** Sends frames of a turn again, as they were: calls wait for an approval still. */
  sendRequests(requests: readonly ApprovalRequestFrame[]): void {
    for (const request of requests) this.#send(request);
  }

  sendError(sessionId: string, error: ErrorBody): void {
    this.#send({ type: "error", ...this.#stamp(sessionId), error });
  }

  /** Tells the client that something it asked for has failed, and logs what nobody expected. */
  sendFailure(sessionId: string, error: unknown): void {
    const body = errorBody(error);
    // The store logs once that it cannot be reached; each frame that finds it so would log it again.
    if (!(error instanceof TurnError || error instanceof StoreUnavailableError)) {
      this.#log.error(
        { sessionId, code: body.code, error },
        "A frame of a client could not be handled",
      );
    }
    this.sendError(sessionId, body);
  }

  #stamp(sessionId: string) {
    return { session_id: sessionId, timestamp: timestamp(this.#clock.now()) };
  }

  #send(frame: ConnectedFrame | ApprovalRequestFrame | ConnectionErrorFrame): void {
    this.#outlet.send(encodeTextFrame(JSON.stringify(frame)));
  }
}
