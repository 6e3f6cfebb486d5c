/**
 * What a turn wrote in the last while. A store that was cut off may come back without the last writes that it acknowledged:
 * Redis writes its file up to two seconds late, and a replica may lag behind the primary that it replaces.
 */
import type { TurnFrame } from "../../protocol/frames.ts";
import { MAX_RECENT_FRAMES, RECENT_WRITES_MS } from "../contracts/limits.ts";
import type { FrameGapError } from "../sessions/session-store.ts";
import type { JournalPart } from "../sessions/turn-journal.ts";

export interface TurnWrite {
  readonly frames: readonly TurnFrame[];
  readonly journal: JournalPart;
}

export class RecentWrites {
  #writes: { readonly at: number; readonly write: TurnWrite }[] = [];
  #frames = 0;

  add(write: TurnWrite, now: number): void {
    this.#writes.push({ at: now, write });
    this.#frames += write.frames.length;
    for (;;) {
      const oldest = this.#writes[0];
      if (oldest === undefined) return;
      if (oldest.at + RECENT_WRITES_MS >= now && this.#frames <= MAX_RECENT_FRAMES) return;
      this.#writes.shift();
      this.#frames -= oldest.write.frames.length;
    }
  }

  /** What the store lacks, followed by `next`. Undefined when the store lacks more than is kept here. */
  since({ lastSeq, journaled }: FrameGapError, next: TurnWrite): TurnWrite | undefined {
    const writes = [...this.#writes.map(({ write }) => write), next];
    const frames = writes.flatMap((write) => write.frames).filter(({ seq }) => seq > lastSeq);
    const entries = writes.flatMap(({ journal }) =>
      journal.entries.map((entry, at) => ({ number: journal.first + at, entry })),
    );
    const lacking = entries.filter(({ number }) => number >= journaled);
    const isWhole =
      (frames[0]?.seq ?? lastSeq + 1) === lastSeq + 1 &&
      (lacking[0]?.number ?? journaled) === journaled;
    if (!isWhole) return undefined;
    return { frames, journal: { first: journaled, entries: lacking.map(({ entry }) => entry) } };
  }
}
