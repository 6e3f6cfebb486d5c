import { describe, expect, it } from "vitest";
import { anAgentConfig } from "../../../test/support/builders/agent-config.ts";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { rejectionOf } from "../../../test/support/builders/rejection-of.ts";
import type { AnswerFrame, ApprovalRequestFrame } from "../../protocol/frames.ts";
import type { Handler } from "../contracts/handler.ts";
import { MAX_EDIT_CHECK_MS } from "../contracts/limits.ts";
import { answerEntry, checkEdit } from "./call-answer.ts";

const request: ApprovalRequestFrame = {
  type: "approval_request",
  session_id: "s",
  timestamp: "2026-01-01T00:00:00Z",
  turn_id: "t1",
  seq: 2,
  approval: { id: "c1", name: "pay", arguments: {}, expires_at: "2026-01-02T00:00:00Z" },
};

function check(
  frame: AnswerFrame,
  problemOfEdit?: Handler["problemOfEdit"],
  clock = new ManualClock(),
): Promise<void> {
  const handler = { run: () => Promise.reject(new Error("not run")), problemOfEdit };
  const waiting = { requests: [request], promptVersion: "one" };
  const answer = { sessionId: "s", client: { owner: "o" }, frame, waiting };
  return checkEdit(answer, anAgentConfig(), { handler: handler as Handler, clock });
}

const edit = (value: Record<string, unknown>, id = "c1"): AnswerFrame => ({
  type: "approve",
  id,
  arguments: value,
});

describe("the arguments that take the place of a model's", () => {
  it("are judged by the handler, for the tool that the model has named", async () => {
    const asked: unknown[] = [];
    await check(edit({ amount: 3 }), async (call) => {
      asked.push([call.name, call.arguments, call.promptVersion]);
      return undefined;
    });
    expect(asked).toEqual([["pay", { amount: 3 }, "one"]]);
    expect(
      await rejectionOf(check(edit({ amount: 3 }), async () => "no such amount")),
    ).toMatchObject({
      code: "INVALID_MESSAGE",
      message: "The call waits still, since it cannot be made so: no such amount.",
      details: { id: "c1", open: true },
    });
  });

  it("are refused when they are nested too deep to be judged, before anybody looks at them", async () => {
    let value: Record<string, unknown> = {};
    for (let depth = 0; depth < 5_000; depth++) value = { value };
    expect(await rejectionOf(check(edit(value), () => expect.fail("asked")))).toMatchObject({
      code: "INVALID_MESSAGE",
      details: { open: true },
    });
  });

  it("are refused for a call that does not wait", async () => {
    expect(await rejectionOf(check(edit({}, "c2")))).toMatchObject({
      code: "INVALID_MESSAGE",
      details: { id: "c2", open: false },
    });
  });

  it("are not waited for when it cannot be learnt what the tool takes", async () => {
    const clock = new ManualClock();
    const judged = rejectionOf(
      check(
        edit({}),
        ({ signal }) =>
          new Promise((_, reject) => {
            signal.addEventListener("abort", () => reject(signal.reason as Error));
          }),
        clock,
      ),
    );
    await clock.advance(MAX_EDIT_CHECK_MS);
    expect(await judged).toMatchObject({ code: "UNAVAILABLE", details: { retry_after: 1 } });
  });

  it("are not there in a plain answer", async () => {
    await check({ type: "approve", id: "c2" }, () => expect.fail("asked"));
    await check({ type: "deny", id: "c2", reason: "no" }, () => expect.fail("asked"));
  });
});

describe("the entry of an answer in the journal", () => {
  it("has what the client has set, and nothing else", () => {
    const entries = [
      edit({ a: 1 }),
      { type: "approve", id: "c1" },
      { type: "deny", id: "c1", reason: "no" },
      { type: "deny", id: "c1" },
    ].map((frame) => JSON.stringify(answerEntry(frame as AnswerFrame)));
    expect(entries).toEqual([
      '{"type":"call-answered","id":"c1","isApproved":true,"arguments":{"a":1}}',
      '{"type":"call-answered","id":"c1","isApproved":true}',
      '{"type":"call-answered","id":"c1","isApproved":false,"reason":"no"}',
      '{"type":"call-answered","id":"c1","isApproved":false}',
    ]);
  });
});
