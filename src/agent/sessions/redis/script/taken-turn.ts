import type { AbandonedTurn } from "../../session-store.ts";
import { parseStoredEntry, parseStoredMessage, parseStoredOrigin } from "../../stored-values.ts";
import { asArray, asNumber, asText, unexpectedReply } from "./reply.ts";

/**
 * Reads what a script answers of a turn that this process is to go on with: fence, seq before, seq, turn id, 1 when it is to be
 * cancelled, the user's message, what the journal holds, version, tokens of the turns before.
 */
export function readTakenTurn(reply: readonly unknown[], sessionId: string): AbandonedTurn {
  const [fence, seqBefore, lastSeq, turn, cancel, message, journal, version, tokens] = reply;
  const turnId = asText(turn);
  const userMessage = parseStoredMessage(asText(message));
  if (userMessage.role !== "user") throw unexpectedReply();
  const [first, ...entries] = asArray(journal).map(asText);
  const { origin, messageId } = parseStoredOrigin(first ?? "");
  const promptVersion = asText(version);
  // The origin is that of the turn which the message began.
  const goesOn = userMessage.turnId !== turnId;
  return {
    lease: { sessionId, turnId, fence: asNumber(fence), seqBefore: asNumber(seqBefore) },
    lastSeq: asNumber(lastSeq),
    userMessage: userMessage.content,
    messageId: goesOn ? undefined : messageId,
    firstTurnId: goesOn ? userMessage.turnId : undefined,
    // A turn that an older version began says it in its origin.
    origin: promptVersion === "" ? origin : { ...origin, promptVersion },
    journal: entries.map(parseStoredEntry),
    sessionTokens: asNumber(tokens) || undefined,
    isCancelled: cancel === 1,
  };
}
