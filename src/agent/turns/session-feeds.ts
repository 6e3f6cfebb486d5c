import type { TurnFrame } from "../../protocol/frames.ts";
import { encodeTextFrame } from "../../protocol/text-frame.ts";

/** A frame with its bytes on a WebSocket, which are made once for all the clients that it is sent to. */
export interface EncodedFrame {
  readonly frame: TurnFrame;
  readonly bytes: Buffer;
}

/** Someone on this replica who gets the frames of a session as they come. */
export interface Follower {
  /** Takes frames in order of `seq`, after they were stored. */
  deliver(frames: readonly EncodedFrame[]): void;
  /** A turn ended without a last frame in the store; `text` is an error frame outside the turn. */
  deliverFailure(text: string): void;
  /** Another replica has the turn now. Its frames, if more of them come, are in the store. */
  turnMoved(): void;
  /** Undefined when the follower can take more. Otherwise settles when it can, or when it is gone. */
  whenWritable(): Promise<void> | undefined;
}

const NOBODY: readonly Follower[] = [];

/** Who follows which session on this replica. Sessions that nobody follows here take no memory. */
export class SessionFeeds {
  /** A list is not changed, but replaced: whoever goes through it meets those who followed at its begin. */
  readonly #followers = new Map<string, readonly Follower[]>();

  follow(sessionId: string, follower: Follower): void {
    const followers = this.#followers.get(sessionId) ?? NOBODY;
    if (!followers.includes(follower)) this.#followers.set(sessionId, [...followers, follower]);
  }

  unfollow(sessionId: string, follower: Follower): void {
    const left = this.#followers.get(sessionId)?.filter((other) => other !== follower) ?? NOBODY;
    if (left.length === 0) this.#followers.delete(sessionId);
    else this.#followers.set(sessionId, left);
  }

  publish(sessionId: string, frames: readonly TurnFrame[]): void {
    const followers = this.#followers.get(sessionId);
    if (followers === undefined) return;
    const encoded = frames.map((frame) => ({
      frame,
      bytes: encodeTextFrame(JSON.stringify(frame)),
    }));
    for (const follower of followers) follower.deliver(encoded);
  }

  publishFailure(sessionId: string, text: string): void {
    for (const follower of this.#followers.get(sessionId) ?? NOBODY) follower.deliverFailure(text);
  }

  turnMoved(sessionId: string): void {
    for (const follower of this.#followers.get(sessionId) ?? NOBODY) follower.turnMoved();
  }

  /** Undefined when every follower can take more. Otherwise settles when one that could not take more can, or is gone. */
  whenWritable(sessionId: string): Promise<void> | undefined {
    const followers = this.#followers.get(sessionId);
    if (followers === undefined) return undefined;
    for (const follower of followers) {
      const wait = follower.whenWritable();
      if (wait !== undefined) return wait;
    }
    return undefined;
  }
}
