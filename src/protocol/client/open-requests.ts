import type { ApprovalRequestFrame, TurnFrame } from "../frames.ts";

export type Approval = ApprovalRequestFrame["approval"];

interface OpenCall {
  readonly approval: Approval;
  isAnswered: boolean;
  /** Whether the server has told of it since it began to list what waits. */
  isListed: boolean;
}

/** The calls of a session that wait for an approval, as far as a client was told. */
export class OpenRequests {
  readonly #calls = new Map<string, OpenCall>();
  #turnId: string | undefined;

  /** Those that this client has not answered. */
  get open(): readonly Approval[] {
    return [...this.#calls.values()].flatMap(({ approval, isAnswered }) =>
      isAnswered ? [] : approval,
    );
  }

  /** Takes note of a frame. Once a turn goes on, or another one begins, nothing waits any more. */
  heard(frame: TurnFrame): void {
    if (frame.turn_id !== this.#turnId) this.#calls.clear();
    this.#turnId = frame.turn_id;
    if (frame.type === "approval_request") this.#add(frame.approval);
  }

  /** Takes note of a request that the server sends again. Answers whether it is news. */
  heardAgain({ approval, turn_id: turnId }: ApprovalRequestFrame): boolean {
    if (turnId !== this.#turnId) this.#calls.clear();
    this.#turnId = turnId;
    const isKnown = this.#calls.has(approval.id);
    this.#add(approval);
    return !isKnown;
  }

  /** The server begins to list what waits. What it did not list the last time waits no more. */
  listedAgain(): void {
    for (const [id, call] of this.#calls) {
      if (!call.isListed) this.#calls.delete(id);
      call.isListed = false;
    }
  }

  answered(callId: string): void {
    const call = this.#calls.get(callId);
    if (call !== undefined) call.isAnswered = true;
  }

  /** The server has refused an answer. `isOpen`: the call waits for another one. */
  refused(callId: string, isOpen: boolean): void {
    const call = this.#calls.get(callId);
    if (call === undefined) return;
    if (isOpen) call.isAnswered = false;
    else this.#calls.delete(callId);
  }

  #add(approval: Approval): void {
    this.#calls.set(approval.id, { approval, isAnswered: false, isListed: true });
  }
}
