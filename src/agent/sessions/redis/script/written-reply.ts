/** What every write of a turn may answer: 'ok' and more · 'lost' · 'gone', which is for a session that is not there · 'gap', last seq, number of journal entries. */
import { FrameGapError, SessionGoneError, TurnLostError } from "../../session-store.ts";
import { asArray, asNumber, unexpectedReply } from "./reply.ts";

/** What follows 'ok'. Throws TurnLostError and FrameGapError as the contract of the store has it. */
export function readWritten(reply: unknown): unknown[] {
  const [status, ...rest] = asArray(reply);
  switch (status) {
    case "ok":
      return rest;
    case "lost":
      throw new TurnLostError("the turn's lease has passed on");
    case "gone":
      throw new SessionGoneError("the session is gone");
    case "gap":
      throw new FrameGapError(asNumber(rest[0]), asNumber(rest[1]));
    default:
      throw unexpectedReply();
  }
}
