import { CorruptSessionError } from "../../session-store.ts";

/** The kinds of entries: a frame, the mark of a turn's end, or the id of a turn that is to be cancelled. */
export const ENTRY_KINDS = { frame: "f", end: "e", cancel: "c" } as const;

/** An entry of a stream: one field, whose name is the kind of the entry. */
export interface StreamEntry {
  readonly id: string;
  readonly kind: string;
  readonly value: string;
}

/** The seq that the id of an entry tells. */
export function seqOfEntry(id: string): number {
  return Number(id.slice(0, id.indexOf("-")));
}

export function compareEntryIds(a: string, b: string): number {
  return (
    seqOfEntry(a) - seqOfEntry(b) ||
    Number(a.slice(a.indexOf("-") + 1)) - Number(b.slice(b.indexOf("-") + 1))
  );
}

/** Reads what XRANGE answers, and XREAD for one stream. */
export function parseEntries(reply: unknown): StreamEntry[] {
  if (!Array.isArray(reply)) throw unreadable();
  return reply.map((entry: unknown) => {
    if (!Array.isArray(entry) || !Array.isArray(entry[1])) throw unreadable();
    const [id, [kind, value]] = entry as [unknown, unknown[]];
    if (typeof id !== "string" || typeof kind !== "string" || typeof value !== "string") {
      throw unreadable();
    }
    return { id, kind, value };
  });
}

function unreadable(): CorruptSessionError {
  return new CorruptSessionError("the session's frames in the store are not readable");
}
