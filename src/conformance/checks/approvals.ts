/** Checks of calls that wait for an approval, for endpoints where a message is known that leads to one. */
import type { ApprovalRequestFrame } from "../../protocol/frames.ts";
import type { Check, CheckContext } from "../harness/check.ts";
import { CheckSkipped, ensure } from "../harness/check-failed.ts";
import type { DoneFrame, ProbeConnection } from "../harness/probe-connection.ts";
import { ensureNumbered } from "./messages.ts";

interface Waiting {
  readonly connection: ProbeConnection;
  readonly sessionId: string;
  readonly requests: readonly [ApprovalRequestFrame, ...ApprovalRequestFrame[]];
  readonly done: DoneFrame;
}

/** `message` makes the agent call a tool that waits for an approval. Calls are only denied, so that no check has an effect. */
export function approvalChecks(message: string): readonly Check[] {
  async function waits(context: CheckContext): Promise<Waiting> {
    const connection = await context.connect();
    const { session_id: sessionId } = await connection.nextConnected();
    const { frames, done } = await connection.ask(message);
    const [first, ...more] = frames.filter((frame) => frame.type === "approval_request");
    if (first === undefined) throw new CheckSkipped("the message led to no call that waits");
    return { connection, sessionId, requests: [first, ...more], done };
  }

  return [
    {
      name: "ends a turn whose calls wait in done with awaiting_approval, right behind their requests",
      section: "approval_request",
      async run(context) {
        const { requests, done } = await waits(context);
        ensure(done.finish_reason === "awaiting_approval", `it ends in ${done.finish_reason}`);
        ensureNumbered([...requests, done], done.seq - requests.length);
        const ids = new Set(requests.map(({ approval }) => approval.id));
        ensure(ids.size === requests.length, "two requests have the same id");
      },
    },
    {
      name: "sends open requests again after connected, as they were",
      section: "approval_request",
      async run(context) {
        const { sessionId: session_id, requests, done } = await waits(context);
        const other = await context.connect({ query: { session_id } });
        ensure((await other.nextConnected()).seq === done.seq, "connected says another seq");
        for (const request of requests) {
          const frame = await other.nextOfTurn();
          ensure(JSON.stringify(frame) === JSON.stringify(request), "a request is another one");
        }
      },
    },
    {
      name: "goes on in a turn of another id when each call has its answer, from any connection",
      section: "deny",
      async run(context) {
        const { sessionId: session_id, requests, done } = await waits(context);
        const other = await context.connect();
        await other.nextConnected();
        for (const { approval } of requests) {
          other.send({ type: "deny", id: approval.id, session_id, reason: "This is a test." });
        }
        const { frames } = await other.turn();
        ensureNumbered(frames, done.seq + 1);
        ensure(frames[0]?.turn_id !== done.turn_id, "it has the id of the turn that waited");
      },
    },
    {
      name: "takes one answer to a call, and tells all others that it does not wait",
      section: "deny",
      async run(context) {
        const { connection, requests } = await waits(context);
        for (const { approval } of requests) connection.send({ type: "deny", id: approval.id });
        await connection.turn();
        connection.send({ type: "approve", id: requests[0].approval.id });
        await connection.nextError("INVALID_MESSAGE", "a call that was answered");
      },
    },
    {
      name: "takes a message in place of answers for a denial",
      section: "approval_request",
      async run(context) {
        const { connection, requests } = await waits(context);
        await connection.ask("hello");
        connection.send({ type: "approve", id: requests[0].approval.id });
        await connection.nextError("INVALID_MESSAGE", "a call that was denied by a message");
      },
    },
    {
      name: "keeps an open request from those who do not name its session",
      section: "approve",
      async run(context) {
        const { requests } = await waits(context);
        const other = await context.connect();
        await other.nextConnected();
        other.send({ type: "approve", id: requests[0].approval.id });
        await other.nextError("INVALID_MESSAGE", "a call of another session");
      },
    },
  ];
}
