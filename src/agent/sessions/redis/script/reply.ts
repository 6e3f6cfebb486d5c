/** Reads what a script answers. The readers throw CorruptSessionError when the answer has another form. */
import { CorruptSessionError } from "../../session-store.ts";

export function asArray(reply: unknown): unknown[] {
  if (!Array.isArray(reply)) throw unexpectedReply();
  return reply;
}

export function asText(reply: unknown): string {
  if (typeof reply !== "string") throw unexpectedReply();
  return reply;
}

/** Redis gives a number as a text where it keeps it as one. */
export function asNumber(reply: unknown): number {
  const number = typeof reply === "number" ? reply : Number(asText(reply));
  if (!Number.isSafeInteger(number)) throw unexpectedReply();
  return number;
}

export function unexpectedReply(): CorruptSessionError {
  return new CorruptSessionError("the session store answered what it should not");
}
