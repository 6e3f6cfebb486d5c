import type { Check } from "../harness/check.ts";
import { ensure } from "../harness/check-failed.ts";
import { ensureSame } from "./messages.ts";

export const RESUMING: readonly Check[] = [
  {
    name: "replays exactly the frames that follow a number",
    section: "resume",
    async run(context) {
      const first = await context.connect();
      const { session_id } = await first.nextConnected();
      const one = await first.ask("hello");
      const two = await first.ask("hello");
      const all = [...one.frames, ...two.frames];
      for (const after of [0, one.done.seq, Math.floor(two.done.seq / 2)]) {
        const other = await context.connect();
        await other.nextConnected();
        other.send({ type: "resume", session_id, after });
        const connected = await other.nextConnected();
        ensure(connected.session_id === session_id, "it resumed another session");
        ensure(connected.seq === two.done.seq, `connected says seq ${connected.seq}`);
        const missed = all.slice(after);
        const replayed = [];
        while (replayed.length < missed.length) replayed.push(await other.nextOfTurn());
        ensureSame(replayed, missed);
      }
    },
  },
  {
    name: "replays nothing to who has missed nothing",
    section: "resume",
    async run(context) {
      const first = await context.connect();
      const { session_id } = await first.nextConnected();
      const { done } = await first.ask("hello");
      const other = await context.connect();
      await other.nextConnected();
      other.send({ type: "resume", session_id, after: done.seq });
      const { resumed, seq } = await other.nextConnected();
      ensure(resumed && seq === done.seq, `connected says resumed ${resumed}, seq ${seq}`);
      // The next frame must belong to the next turn.
      const { frames } = await other.ask("hello");
      ensure(frames[0]?.seq === done.seq + 1, `frame ${frames[0]?.seq} was sent again`);
    },
  },
  {
    name: "goes on with the session of ?session_id=, and sends nothing again",
    section: "resume",
    async run(context) {
      const first = await context.connect();
      const { session_id } = await first.nextConnected();
      const { done } = await first.ask("hello");
      const other = await context.connect({ query: { session_id } });
      const connected = await other.nextConnected();
      ensure(connected.session_id === session_id, "it is another session");
      ensure(connected.resumed, "resumed is false");
      ensure(connected.seq === done.seq, `connected says seq ${connected.seq}`);
      const { frames } = await other.ask("hello");
      ensure(frames[0]?.seq === done.seq + 1, `frame ${frames[0]?.seq} was sent again`);
    },
  },
  {
    name: "answers a resume of an unknown session with SESSION_NOT_FOUND, and keeps the connection's own",
    section: "resume",
    async run(context) {
      const connection = await context.connect();
      const { session_id } = await connection.nextConnected();
      connection.send({ type: "resume", session_id: "conformance-no-such-session", after: 0 });
      await connection.nextError("SESSION_NOT_FOUND", "an unknown session");
      const { frames } = await connection.ask("hello");
      ensure(frames[0]?.session_id === session_id, "the connection is in another session");
    },
  },
];
