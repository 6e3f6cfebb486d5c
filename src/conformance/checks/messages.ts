import type { TurnFrame } from "../../protocol/frames.ts";
import type { Check, CheckContext } from "../harness/check.ts";
import { CheckSkipped, ensure } from "../harness/check-failed.ts";
import type { ConnectedFrame, DoneFrame } from "../harness/probe-connection.ts";

const MESSAGE = "Say hello in one short sentence.";
const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

interface FirstTurn {
  readonly connected: ConnectedFrame;
  readonly frames: readonly TurnFrame[];
  readonly done: DoneFrame;
}

export const MESSAGES: readonly Check[] = [
  {
    name: "answers a message with frames of the protocol, and done at their end",
    section: "done",
    async run(context) {
      const { done } = await firstTurn(context);
      if (context.handler === "echo") {
        ensure(done.content === MESSAGE, "an echo answers with something else than the message");
      }
    },
  },
  {
    name: "numbers the frames of a session by one, from 1",
    section: "Receiving",
    async run(context) {
      const { frames } = await firstTurn(context);
      ensureNumbered(frames, 1);
    },
  },
  {
    name: "stamps every frame with the time, as RFC 3339",
    section: "Receiving",
    async run(context) {
      const { connected, frames } = await firstTurn(context);
      for (const { timestamp } of [connected, ...frames]) {
        ensure(RFC_3339.test(timestamp), `${JSON.stringify(timestamp)} is no RFC 3339 timestamp`);
      }
    },
  },
  {
    name: "names the session and one turn in every frame of a turn",
    section: "Receiving",
    async run(context) {
      const { connected, frames } = await firstTurn(context);
      for (const { session_id, turn_id, seq } of frames) {
        ensure(session_id === connected.session_id, `frame ${seq} is of another session`);
        ensure(turn_id === frames[0]?.turn_id && turn_id !== "", `frame ${seq} is of another turn`);
      }
    },
  },
  {
    name: "says in done what the chunks say together",
    section: "done",
    async run(context) {
      const { frames, done } = await firstTurn(context);
      const chunks = frames.filter((frame) => frame.type === "chunk");
      if (chunks.length === 0) throw new CheckSkipped("the answer came in no chunks");
      ensure(chunks.map(({ content }) => content).join("") === done.content, "they differ");
    },
  },
  {
    name: "goes on with the numbers in the next turn, under another turn id",
    section: "Receiving",
    async run(context) {
      const connection = await context.connect();
      await connection.nextConnected();
      const first = await connection.ask(MESSAGE);
      const { frames, done } = await connection.ask(MESSAGE);
      ensureNumbered(frames, first.done.seq + 1);
      ensure(done.turn_id !== first.done.turn_id, "both turns have the same id");
    },
  },
  {
    name: "runs a message in the session that it names, from any connection",
    section: "message",
    async run(context) {
      const first = await context.connect();
      const { session_id } = await first.nextConnected();
      const { done } = await first.ask(MESSAGE);
      const second = await context.connect();
      await second.nextConnected();
      const { frames } = await second.ask(MESSAGE, { session_id });
      ensure(frames[0]?.session_id === session_id, "the turn ran in another session");
      ensureNumbered(frames, done.seq + 1);
    },
  },
  {
    name: "begins a new session for a message that names an unknown one",
    section: "message",
    async run(context) {
      const connection = await context.connect();
      const own = await connection.nextConnected();
      connection.say(MESSAGE, { session_id: "conformance-no-such-session" });
      const { session_id } = await connection.nextConnected();
      ensure(session_id !== own.session_id, "the new session is the old one");
      const { frames } = await connection.turn();
      ensure(frames[0]?.session_id === session_id, "the turn ran in another session");
      ensureNumbered(frames, 1);
    },
  },
  {
    name: "passes over fields that it does not know, and takes metadata",
    section: "message",
    async run(context) {
      const connection = await context.connect();
      await connection.nextConnected();
      await connection.ask(MESSAGE, { metadata: { channel: "conformance" }, later: [1], x: null });
    },
  },
  {
    name: "does not run a message again whose id it has seen: its frames are sent again",
    section: "message",
    async run(context) {
      const connection = await context.connect();
      const { session_id } = await connection.nextConnected();
      const first = await connection.ask(MESSAGE, { id: "conformance-1" });
      const other = await context.connect();
      await other.nextConnected();
      const again = await other.ask(MESSAGE, { id: "conformance-1", session_id });
      ensure(again.done.turn_id === first.done.turn_id, "it was run again");
      ensureSame(again.frames, first.frames);
      const { frames } = await connection.ask(MESSAGE, { id: "conformance-2" });
      ensureNumbered(frames, first.done.seq + 1);
    },
  },
  {
    name: "tells a call of a tool before its result, under the same id",
    section: "tool_result",
    async run(context) {
      if (context.handler !== "demo")
        throw new CheckSkipped("only the demo is known to call a tool");
      const connection = await context.connect();
      await connection.nextConnected();
      const { frames } = await connection.ask("What is the weather in Paris?");
      const called = new Set<string>();
      let results = 0;
      for (const frame of frames) {
        if (frame.type === "tool_call") called.add(frame.tool_call.id);
        if (frame.type !== "tool_result") continue;
        results += 1;
        ensure(called.has(frame.tool_result.id), "a result has no call before it");
      }
      ensure(called.size > 0 && results === called.size, "not every call has one result");
    },
  },
];

export function ensureNumbered(frames: readonly TurnFrame[], from: number): void {
  for (const [index, { seq }] of frames.entries()) {
    ensure(seq === from + index, `expected seq ${from + index}, and got ${seq}`);
  }
}

export function ensureSame(again: readonly TurnFrame[], first: readonly TurnFrame[]): void {
  ensure(again.length === first.length, `expected ${first.length} frames, and got ${again.length}`);
  for (const [index, frame] of again.entries()) {
    const original = first[index];
    ensure(
      frame.type === original?.type &&
        frame.seq === original.seq &&
        contentOf(frame) === contentOf(original),
      `frame ${frame.seq} is not what it was`,
    );
  }
}

function contentOf(frame: TurnFrame): string | undefined {
  return "content" in frame ? frame.content : undefined;
}

async function firstTurn(context: CheckContext): Promise<FirstTurn> {
  const connection = await context.connect();
  const connected = await connection.nextConnected();
  return { connected, ...(await connection.ask(MESSAGE)) };
}
