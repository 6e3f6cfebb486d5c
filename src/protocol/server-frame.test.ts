import { describe, expect, it } from "vitest";
import { parseServerFrame } from "./server-frame.ts";

const stamp = { session_id: "s", timestamp: "2026-01-01T00:00:00.000Z" };
const ofTurn = { ...stamp, turn_id: "t", seq: 3 };

describe("parseServerFrame", () => {
  it.each([
    { type: "connected", ...stamp, resumed: false, seq: 0 },
    { type: "chunk", ...ofTurn, content: "a" },
    { type: "tool_call", ...ofTurn, tool_call: { id: "1", name: "weather", arguments: {} } },
    { type: "tool_result", ...ofTurn, tool_result: { id: "1", result: null } },
    { type: "tool_result", ...ofTurn, tool_result: { id: "1", error: "no" } },
    {
      type: "approval_request",
      ...ofTurn,
      approval: { id: "1", name: "pay", arguments: {}, expires_at: "2026-01-02T00:00:00Z" },
    },
    {
      type: "done",
      ...ofTurn,
      content: "a",
      usage: { input_tokens: 1, output_tokens: 2 },
      finish_reason: "stop",
    },
    {
      type: "error",
      ...ofTurn,
      error: { code: "PROVIDER_ERROR", message: "m", details: { retry_after: 1 } },
    },
    { type: "error", ...stamp, error: { code: "INVALID_MESSAGE", message: "m" } },
  ])("reads $type", (frame) => {
    expect(parseServerFrame(JSON.stringify(frame))).toEqual({ ok: true, frame });
  });

  it.each([
    ["x", "the frame is not valid JSON"],
    ["[]", "the frame must be a JSON object"],
    [
      { type: "constructor" },
      '"type" must be one of connected, chunk, tool_call, tool_result, approval_request, done, error',
    ],
    [{ type: "connected", ...stamp, seq: 0 }, '"resumed" is missing or invalid'],
    [{ type: "chunk", ...stamp, content: "a" }, '"turn_id" is missing or invalid'],
    [
      { type: "chunk", ...ofTurn, timestamp: "now", content: "a" },
      '"timestamp" is missing or invalid',
    ],
    [
      { type: "tool_result", ...ofTurn, tool_result: { id: "1", result: 1, error: "no" } },
      '"tool_result" is missing or invalid',
    ],
    [
      { type: "tool_result", ...ofTurn, tool_result: { id: "1" } },
      '"tool_result" is missing or invalid',
    ],
    [
      {
        type: "approval_request",
        ...ofTurn,
        approval: { id: "1", name: "pay", arguments: {}, expires_at: "soon" },
      },
      '"approval" is missing or invalid',
    ],
    [
      { type: "done", ...ofTurn, content: "a", finish_reason: "bored" },
      '"finish_reason" is missing or invalid',
    ],
    [
      { type: "error", ...stamp, error: { code: "OOPS", message: "m" } },
      '"error" is missing or invalid',
    ],
  ])("refuses %j", (frame, problem) => {
    const text = typeof frame === "string" ? frame : JSON.stringify(frame);
    expect(parseServerFrame(text)).toEqual({ ok: false, problem });
  });
});
