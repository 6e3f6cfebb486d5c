import { onTestFinished, describe, expect, it } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { numberedNames } from "../../../test/support/builders/numbered-names.ts";
import type { LineState, SessionClientOptions } from "./session-client-options.ts";
import { SessionClient } from "./session-client.ts";
import type { ConnectionEvents } from "./transport.ts";

describe("a client that goes on with a session", () => {
  it("asks for the frames after the one that it knows, and passes each on once", async () => {
    const { client, connections, passed } = await setUp({ after: 2 });
    expect(connections[0]?.sent).toEqual([{ type: "resume", session_id: "s1", after: 2 }]);
    // It comes before the answer to the question, which has it too.
    connections[0]?.say(chunk(6));
    connections[0]?.say(connected(6));
    for (const seq of [3, 4, 5, 6, 7]) connections[0]?.say(chunk(seq));
    expect(passed()).toEqual([3, 4, 5, 6, 7]);
    expect(client.seq).toBe(7);
  });

  it("asks for nothing when it knows the last frame", async () => {
    const { connections, passed } = await setUp({ after: 5 });
    expect(connections[0]?.sent).toEqual([]);
    connections[0]?.say(chunk(6));
    expect(passed()).toEqual([6]);
  });

  it("can stop a turn that somebody else began", async () => {
    const { client, connections } = await setUp({ after: 5 });
    client.cancelAny();
    expect(connections[0]?.sent).toEqual([{ type: "cancel", session_id: "s1" }]);
  });

  it("tells when the connection is lost and when it is there again", async () => {
    const { connections, states, clock } = await setUp({ after: 5 });
    connections[0]?.end();
    expect(states()).toEqual(["open", "lost"]);
    await clock.advance(1_000);
    connections[1]?.say(connected(5));
    expect(states()).toEqual(["open", "lost", "open"]);
  });

  it("tells when it has given up", async () => {
    const { connections, states } = await setUp({ after: 5 });
    connections[0]?.end(1008);
    expect(states()).toEqual(["open", "given-up"]);
  });
});

function connected(seq: number) {
  return { type: "connected", resumed: true, seq };
}

function chunk(seq: number) {
  return { type: "chunk", turn_id: "t1", seq, content: "x" };
}

async function setUp(options: Partial<SessionClientOptions>) {
  const clock = new ManualClock();
  const seqs: number[] = [];
  const states: LineState[] = [];
  const connections: { sent: unknown[]; say(frame: object): void; end(code?: number): void }[] = [];
  const ids = numberedNames("m");
  const transport = {
    open: (_url: string, events: ConnectionEvents) => {
      const sent: unknown[] = [];
      connections.push({
        sent,
        say: (frame) =>
          events.onText(
            JSON.stringify({ session_id: "s1", timestamp: "2026-01-01T00:00:00Z", ...frame }),
          ),
        end: (code = 1006) => events.onEnd({ code }),
      });
      return { send: (text: string) => sent.push(JSON.parse(text)), close: () => {} };
    },
  };
  const opening = SessionClient.connect(
    {
      url: "ws://agent.test/",
      transport,
      clock,
      random: () => 0,
      newMessageId: () => ids.next(),
      sessionId: "s1",
      onFrame: (frame) => {
        if (frame !== undefined && "seq" in frame && frame.type !== "connected")
          seqs.push(frame.seq);
      },
      onLine: (state) => states.push(state),
      ...options,
    },
    new AbortController().signal,
  );
  await Promise.resolve();
  connections[0]?.say(connected(5));
  const client = await opening;
  onTestFinished(() => client.close());
  return {
    client,
    clock,
    connections,
    passed: () => seqs,
    states: () => states.map(({ type }) => type),
  };
}
