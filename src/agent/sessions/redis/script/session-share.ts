import { asNumber, asText } from "./reply.ts";

/** What one session takes, about, and who answers for it: '' where a version before did not write that down. */
export interface SessionShare {
  readonly holder: string;
  /** In bytes. */
  readonly size: number;
  /** That of the session's last turn: what two replicas say of one session is in this order. */
  readonly fence: number;
}

/** Reads what `shareOf(session)` of a script answers. */
export function readShare([holder, size, fence]: readonly unknown[]): SessionShare {
  return { holder: asText(holder), size: asNumber(size), fence: asNumber(fence) };
}
