import type { TurnFrame } from "../../protocol/frames.ts";
import type { Check } from "../harness/check.ts";
import { CheckSkipped, ensure } from "../harness/check-failed.ts";
import { nameOf, type ProbeConnection } from "../harness/probe-connection.ts";
import { beginLongTurn, tooShort } from "../harness/long-turn.ts";
import { ensureNumbered, ensureSame } from "./messages.ts";

export const RUNNING_TURNS: readonly Check[] = [
  {
    name: "runs one turn at a time in a session: a second message gets TURN_IN_PROGRESS",
    section: "message",
    async run(context) {
      const { connection } = await beginLongTurn(context);
      connection.say("And another thing.");
      await refusedMeanwhile(connection);
      await connection.turn();
    },
  },
  {
    name: "says so to every connection",
    section: "message",
    async run(context) {
      const { sessionId: session_id } = await beginLongTurn(context);
      const other = await context.connect();
      await other.nextConnected();
      other.say("And another thing.", { session_id });
      const frame = await other.next("an error about a second message");
      if (frame.type === "chunk" || frame.type === "done") throw tooShort();
      ensure(
        frame.type === "error" && frame.error.code === "TURN_IN_PROGRESS",
        `expected error TURN_IN_PROGRESS, and got ${nameOf(frame)}`,
      );
    },
  },
  {
    name: "answers pings during a turn",
    section: "Limits",
    async run(context) {
      const { connection } = await beginLongTurn(context);
      await connection.pong();
    },
  },
  {
    name: "leads a message whose id is that of the running turn to it",
    section: "message",
    async run(context) {
      const id = "conformance-1";
      const { connection, sessionId: session_id, first } = await beginLongTurn(context, { id });
      const other = await context.connect();
      await other.nextConnected();
      const again = await other.ask("The content does not matter.", { id, session_id });
      ensure(again.done.turn_id === first.turn_id, "it was run again");
      ensureSame(again.frames, [first, ...(await connection.turn()).frames]);
    },
  },
  {
    name: "ends a turn that is cancelled in done, with what was said so far",
    section: "cancel",
    async run(context) {
      const { connection, first } = await beginLongTurn(context);
      connection.send({ type: "cancel" });
      const { frames, done } = await connection.turn();
      if (done.finish_reason !== "cancelled") throw tooShort();
      ensure(textOf([first, ...frames]) === done.content, "done says something else");
      await connection.ask("hello");
    },
  },
  {
    name: "cancels a turn from another connection",
    section: "cancel",
    async run(context) {
      const { connection, sessionId: session_id } = await beginLongTurn(context);
      const other = await context.connect();
      await other.nextConnected();
      other.send({ type: "cancel", session_id });
      const { done } = await connection.turn();
      if (done.finish_reason === "cancelled") return;
      if (other.isQuiet) throw tooShort();
      await other.nextError("UNAVAILABLE", "a turn of another replica");
      throw new CheckSkipped("the turn runs on another replica, which the endpoint says");
    },
  },
  {
    name: "takes a cancel where nothing runs, and says nothing",
    section: "cancel",
    async run(context) {
      const connection = await context.connect();
      await connection.nextConnected();
      connection.send({ type: "cancel" });
      ensureNumbered((await connection.ask("hello")).frames, 1);
    },
  },
  {
    name: "goes on with a turn whose client leaves",
    section: "resume",
    async run(context) {
      const { connection, sessionId: session_id, first } = await beginLongTurn(context);
      connection.close();
      const other = await context.connect();
      await other.nextConnected();
      other.send({ type: "resume", session_id, after: first.seq });
      const { resumed } = await other.nextConnected();
      ensure(resumed, "resumed is false");
      const { frames, done } = await other.turn();
      ensureNumbered(frames, first.seq + 1);
      ensure(done.finish_reason !== "cancelled", "the turn was cancelled");
      ensure(textOf([first, ...frames]) === done.content, "done says something else");
    },
  },
  {
    name: "shows a running turn to a second connection that resumes, as the first one sees it",
    section: "resume",
    async run(context) {
      const { connection, sessionId: session_id, first } = await beginLongTurn(context);
      const other = await context.connect();
      await other.nextConnected();
      other.send({ type: "resume", session_id, after: 0 });
      await other.nextConnected();
      const seen = await other.turn();
      ensureNumbered(seen.frames, 1);
      ensureSame(seen.frames, [first, ...(await connection.turn()).frames]);
    },
  },
];

/** Reads the frames of the running turn until a second message is refused. */
async function refusedMeanwhile(connection: ProbeConnection): Promise<void> {
  for (;;) {
    const frame = await connection.next("an error about a second message");
    if (frame.type === "done") throw tooShort();
    if (frame.type !== "error") continue;
    ensure(
      frame.error.code === "TURN_IN_PROGRESS",
      `expected error TURN_IN_PROGRESS, and got ${nameOf(frame)}`,
    );
    ensure(!("seq" in frame), "the error has a seq");
    return;
  }
}

function textOf(frames: readonly TurnFrame[]): string {
  return frames.map((frame) => (frame.type === "chunk" ? frame.content : "")).join("");
}
