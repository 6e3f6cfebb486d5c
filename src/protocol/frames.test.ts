import { describe, expect, it } from "vitest";
import { MAX_ID_LENGTH, MAX_REASON_LENGTH, parseClientFrame } from "./frames.ts";

describe("parseClientFrame", () => {
  it("reads a message with every field", () => {
    const frame = {
      type: "message",
      content: "hi",
      session_id: "s",
      metadata: { a: [1] },
      id: "m1",
    };
    expect(parseClientFrame(JSON.stringify(frame))).toEqual({ ok: true, frame });
  });

  it("takes null and empty ids for none, and passes over what it does not know", () => {
    const text = JSON.stringify({
      type: "message",
      content: "",
      session_id: "",
      id: null,
      metadata: null,
      extra: 1,
    });
    expect(parseClientFrame(text)).toEqual({ ok: true, frame: { type: "message", content: "" } });
    expect(parseClientFrame('{"type":"cancel"}')).toEqual({ ok: true, frame: { type: "cancel" } });
  });

  it("reads a resume", () => {
    const frame = { type: "resume", session_id: "s", after: 0 };
    expect(parseClientFrame(JSON.stringify(frame))).toEqual({ ok: true, frame });
  });

  it("reads an answer to an approval request", () => {
    const approve = {
      type: "approve",
      id: "c1",
      session_id: "s",
      arguments: { to: ["Zoë", null] },
    };
    const deny = { type: "deny", id: "c1", session_id: "s", reason: "too much" };
    for (const frame of [approve, deny]) {
      expect(parseClientFrame(JSON.stringify(frame))).toEqual({ ok: true, frame });
    }
    const bare = { session_id: "", arguments: null, reason: null };
    for (const type of ["approve", "deny"]) {
      expect(parseClientFrame(JSON.stringify({ type, id: "c1", ...bare }))).toEqual({
        ok: true,
        frame: { type, id: "c1" },
      });
    }
  });

  it.each([
    ["", "the frame is not valid JSON"],
    ["{", "the frame is not valid JSON"],
    ["[]", "the frame must be a JSON object"],
    ["null", "the frame must be a JSON object"],
    ['"message"', "the frame must be a JSON object"],
    ["{}", 'the frame has no "type"'],
    ['{"type":"shout"}', '"type" must be one of message, cancel, resume, approve, deny'],
    ['{"type":"toString"}', '"type" must be one of message, cancel, resume, approve, deny'],
    ['{"type":["message"]}', '"type" must be one of message, cancel, resume, approve, deny'],
    ['{"type":"message"}', '"content" must be a string'],
    ['{"type":"message","content":5}', '"content" must be a string'],
    [
      '{"type":"message","content":"","session_id":5}',
      '"session_id" must be a string of at most 256 characters',
    ],
    [
      JSON.stringify({ type: "message", content: "", id: "x".repeat(MAX_ID_LENGTH + 1) }),
      '"id" must be a string of at most 256 characters',
    ],
    ['{"type":"message","content":"","metadata":[]}', '"metadata" must be an object'],
    [
      '{"type":"cancel","session_id":{}}',
      '"session_id" must be a string of at most 256 characters',
    ],
    ['{"type":"resume","after":0}', '"session_id" is required'],
    ['{"type":"resume","session_id":"s"}', '"after" must be a whole number, 0 or more'],
    ['{"type":"resume","session_id":"s","after":-1}', '"after" must be a whole number, 0 or more'],
    ['{"type":"resume","session_id":"s","after":1.5}', '"after" must be a whole number, 0 or more'],
    ['{"type":"approve"}', '"id" is required'],
    ['{"type":"deny","id":""}', '"id" is required'],
    ['{"type":"approve","id":7}', '"id" must be a string of at most 256 characters'],
    [
      '{"type":"deny","id":"c1","session_id":7}',
      '"session_id" must be a string of at most 256 characters',
    ],
    ['{"type":"approve","id":"c1","arguments":[]}', '"arguments" must be an object'],
    ['{"type":"approve","id":"c1","arguments":"{}"}', '"arguments" must be an object'],
    [
      JSON.stringify({ type: "deny", id: "c1", reason: "x".repeat(MAX_REASON_LENGTH + 1) }),
      '"reason" must be a string of at most 4096 characters',
    ],
    [
      '{"type":"deny","id":"c1","reason":{}}',
      '"reason" must be a string of at most 4096 characters',
    ],
  ])("refuses %s", (text, problem) => {
    expect(parseClientFrame(text)).toEqual({ ok: false, problem });
  });
});
